/// The mutable fields of a class that one thread uses at a time, in separate memory.
///
/// A class's stored properties are checked for overlapping access at run time. Each check takes several nanoseconds, which is as
/// much as the work that it guards here. No access to a cell is held across a call that leads back to it.
@safe @frozen @usableFromInline
struct Cell<Value> {
  @usableFromInline let pointer: UnsafeMutablePointer<Value>

  @inlinable
  package init(_ value: Value) {
    unsafe pointer = .allocate(capacity: 1)
    unsafe pointer.initialize(to: value)
  }

  /// Wraps fields that exist already.
  init(pointer: UnsafeMutablePointer<Value>) { unsafe self.pointer = pointer }

  /// The fields.
  @inlinable
  package var value: Value {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
    @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
  }

  /// Deinitializes the fields. The owner's `deinit` calls it, once.
  @inlinable
  func destroy() {
    unsafe pointer.deinitialize(count: 1)
    unsafe pointer.deallocate()
  }
}
