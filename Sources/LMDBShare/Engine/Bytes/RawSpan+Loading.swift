// Safe reads from untrusted bytes: sizes are checked, and alignment does not matter.

extension RawSpan {
  /// The integer stored little-endian in these bytes, or nil when the size differs.
  @inlinable @inline(__always)
  package func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self) -> T? {
    guard byteCount == MemoryLayout<T>.size else { return nil }
    return T(littleEndian: unsafe unsafeLoadUnaligned(as: T.self))
  }

  /// The integer stored big-endian in these bytes, or nil when the size differs.
  @inlinable @inline(__always)
  func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self) -> T? {
    guard byteCount == MemoryLayout<T>.size else { return nil }
    return T(bigEndian: unsafe unsafeLoadUnaligned(as: T.self))
  }

  /// The little-endian integer at `offset`, or nil when it does not fit there.
  @inlinable @inline(__always)
  package func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, _: T.Type = T.self) -> T? {
    guard offset >= 0, offset <= byteCount - MemoryLayout<T>.size else { return nil }
    return T(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The big-endian integer at `offset`, or nil when it does not fit there.
  @inlinable @inline(__always)
  func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, _: T.Type = T.self) -> T? {
    guard offset >= 0, offset <= byteCount - MemoryLayout<T>.size else { return nil }
    return T(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The bits of a `BitwiseCopyable` value, or nil when the size differs.
  @inlinable @inline(__always)
  func bits<T: BitwiseCopyable>(of _: T.Type = T.self) -> T? {
    guard byteCount == MemoryLayout<T>.size else { return nil }
    return unsafe unsafeLoadUnaligned(as: T.self)
  }

  /// The byte at `offset`, which the caller knows to be inside.
  @inlinable @inline(__always)
  package func byte(at offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < byteCount)
    return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
  }

  /// A copy of the bytes.
  @inlinable
  package func copied() -> [UInt8] {
    unsafe withUnsafeBytes { unsafe Array($0) }
  }

  /// A copy of the bytes as values of `T`, which must be `BitwiseCopyable` with every bit pattern valid.
  @inlinable
  package func copied<T: BitwiseCopyable>(as _: T.Type) -> [T] {
    let count = byteCount / MemoryLayout<T>.stride
    guard count > 0 else { return [] }
    return unsafe [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source.prefix(count * MemoryLayout<T>.stride)))
      }
      initialized = count
    }
  }

  /// The bytes decoded as UTF-8, or nil when they are not valid UTF-8.
  @inlinable
  package func utf8String() -> String? {
    // Several times as fast as `String(validating:as:)` for short texts.
    unsafe withUnsafeBytes { raw in
      guard let text = unsafe try? UTF8Span(validating: Span<UInt8>(_unsafeBytes: raw)) else { return nil }
      return String(copying: text)
    }
  }

  /// Whether the bytes are equal.
  @inlinable
  package func hasSameBytes(as other: RawSpan) -> Bool {
    self.compare(other) == 0
  }

  /// Negative, zero or positive when these bytes sort before, equal to or after the others.
  @inlinable
  package func compare(_ other: RawSpan) -> Int {
    let common = Swift.min(byteCount, other.byteCount)
    var offset = 0
    while offset < common {
      let (a, b) = (byte(at: offset), other.byte(at: offset))
      if a != b { return a < b ? -1 : 1 }
      offset += 1
    }
    return byteCount - other.byteCount
  }
}

/// Calls `body` with the bytes of `value` as they lie in memory.
@inlinable @inline(__always)
package func withBytes<T: BitwiseCopyable, R>(of value: T, _ body: (RawSpan) -> R) -> R {
  // The optimizer gives a value without bytes no memory, so a pointer to it would have no defined address.
  if MemoryLayout<T>.size == 0 { return body(RawSpan()) }
  var value = value
  return unsafe Swift.withUnsafeBytes(of: &value) { unsafe body($0.bytes) }
}

/// Calls `body` with the string's UTF-8 bytes.
@inlinable @inline(__always)
package func withUTF8<R>(of string: String, _ body: (RawSpan) -> R) -> R {
  var string = string
  return string.withUTF8 { unsafe body(UnsafeRawBufferPointer($0).bytes) }
}

/// Calls `body` with the bytes of an array's elements as they lie in memory.
@inlinable @inline(__always)
package func withBytes<T: BitwiseCopyable, R>(of array: [T], _ body: (RawSpan) throws -> R) rethrows -> R {
  unsafe try array.withUnsafeBytes { unsafe try body($0.bytes) }
}

/// The same array under another static type, when the types are the same; a dynamic cast would look at each element.
@inlinable @inline(__always)
func same<T, U>(_ array: [T], as _: [U].Type) -> [U]? {
  T.self == U.self ? unsafe unsafeBitCast(array, to: [U].self) : nil
}

/// The same value under another static type, when the types are the same; a dynamic cast takes ten times as long.
@inline(__always)
func same<T, U>(_ value: T, as _: U.Type) -> U? {
  T.self == U.self ? unsafe unsafeBitCast(value, to: U.self) : nil
}

/// The first case of an enumeration without references: the one whose bits are all zero. Returns nil for other types, and for
/// enumerations of at most one case, which have no bits.
func firstCase<T>(of type: T.Type) -> T? {
  guard _isPOD(type), case 1...64 = MemoryLayout<T>.size else { return nil }
  let value = unsafe withUnsafeTemporaryAllocation(of: T.self, capacity: 1) { buffer in
    let bytes = UnsafeMutableRawBufferPointer(buffer)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
    return unsafe buffer[0]
  }
  return Mirror(reflecting: value).displayStyle == .enum ? value : nil
}

extension [UInt8] {
  /// The bytes in place.
  @inlinable
  var rawSpan: RawSpan {
    @_lifetime(borrow self)
    @inline(__always) get { unsafe span.bytes }
  }

  /// Appends a copy of the bytes.
  @inlinable
  mutating func append(copying bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
