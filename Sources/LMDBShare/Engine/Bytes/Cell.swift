/// The changeable fields of a class that one thread uses at a time, in memory of their own.
///
/// A class's stored properties are checked for overlapping access at run time, at several nanoseconds each, which is as
/// much as the work that they guard here. No access to a cell is held across a call that leads back to it.
@safe @frozen @usableFromInline
struct Cell<Value> {
  @usableFromInline let pointer: UnsafeMutablePointer<Value>

  @inlinable
  package init(_ value: Value) {
    unsafe pointer = .allocate(capacity: 1)
    unsafe pointer.initialize(to: value)
  }

  /// The cell of fields that are there already.
  init(pointer: UnsafeMutablePointer<Value>) { unsafe self.pointer = pointer }

  /// The fields.
  @inlinable
  package var value: Value {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
    @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
  }

  /// Ends the fields; the owner's `deinit` calls it, once.
  @inlinable
  func destroy() {
    unsafe pointer.deinitialize(count: 1)
    unsafe pointer.deallocate()
  }
}
