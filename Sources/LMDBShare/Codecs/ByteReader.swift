/// Reads values one after the other from untrusted bytes: each read is bounds-checked and throws.
public struct ByteReader: ~Escapable {
  @usableFromInline var rest: RawSpan

  /// Reads from the start of `bytes`.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: RawSpan) { rest = bytes }

  /// The number of bytes that are left.
  @inlinable public var remaining: Int { rest.byteCount }

  /// Reads an integer that is stored least significant byte first.
  /// - Throws: ``DecodingFailure`` when too few bytes are left.
  @_lifetime(self: copy self)
  @inlinable public mutating func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type = T.self
  ) throws(DecodingFailure) -> T {
    guard let value = rest.littleEndian(at: 0, T.self) else { throw DecodingFailure("\(T.self) cut short") }
    rest = rest.extracting(MemoryLayout<T>.size..<rest.byteCount)
    return value
  }

  /// Reads one byte.
  /// - Throws: ``DecodingFailure`` when none is left.
  @_lifetime(self: copy self)
  @inlinable public mutating func byte() throws(DecodingFailure) -> UInt8 {
    try littleEndian(UInt8.self)
  }

  /// Reads `count` bytes, in place.
  /// - Throws: ``DecodingFailure`` when fewer are left.
  @_lifetime(self: copy self)
  @_lifetime(copy self)
  @inlinable public mutating func bytes(_ count: Int) throws(DecodingFailure) -> RawSpan {
    guard count >= 0, count <= rest.byteCount else {
      throw DecodingFailure("\(count) bytes expected, \(rest.byteCount) left")
    }
    let taken = rest.extracting(0..<count)
    rest = rest.extracting(count..<rest.byteCount)
    return taken
  }

  /// Reads all remaining bytes, in place.
  @_lifetime(self: copy self)
  @_lifetime(copy self)
  @inlinable public mutating func remainder() -> RawSpan {
    let taken = rest
    rest = rest.extracting(rest.byteCount..<rest.byteCount)
    return taken
  }

  /// Checks that nothing is left over.
  /// - Throws: ``DecodingFailure`` when bytes are left.
  @inlinable public func end() throws(DecodingFailure) {
    guard rest.byteCount == 0 else { throw DecodingFailure("\(rest.byteCount) bytes too many") }
  }
}

/// The reason why stored bytes are not a value of the expected type.
public struct DecodingFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// A description of the problem.
  public let description: String
  /// Whether the bytes are a valid value of another type.
  let isMismatch: Bool

  /// Creates a failure with a short description.
  public init(_ description: String) { self.init(description, isMismatch: false) }

  init(_ description: String, isMismatch: Bool) {
    self.description = description
    self.isMismatch = isMismatch
  }
}
