/// A growing sequence of bytes, into which a codec writes a value.
public struct ByteWriter: ~Copyable, Sendable {
  @usableFromInline package var bytes: [UInt8] = []

  /// Creates an empty writer.
  public init() {}

  /// An empty writer with a capacity of that many bytes.
  package init(capacity: Int) { bytes.reserveCapacity(capacity) }

  /// Removes what was written.
  package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Removes everything after the first `count` bytes.
  package mutating func truncate(to count: Int) { bytes.removeSubrange(count...) }

  /// The number of bytes that have been written.
  @inlinable public var count: Int { bytes.count }

  /// Appends one byte.
  @inlinable public mutating func append(_ byte: UInt8) { bytes.append(byte) }

  /// Appends all bytes of a sequence.
  @inlinable public mutating func append(contentsOf new: some Sequence<UInt8>) { bytes.append(contentsOf: new) }

  /// Appends the bytes of a span.
  @inlinable public mutating func append(_ span: RawSpan) {
    bytes.append(copying: span)
  }

  /// Appends an integer, least significant byte first.
  @inlinable public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(littleEndian value: T) {
    LMDBShare.withBytes(of: value.littleEndian) { append($0) }
  }

  /// Appends integers, each least significant byte first.
  package mutating func append<T: FixedWidthInteger & BitwiseCopyable>(littleEndian values: [T]) {
    if T(littleEndian: 1) == 1 {
      LMDBShare.withBytes(of: values) { append($0) }
    } else {
      for value in values { append(littleEndian: value) }
    }
  }

  /// Appends an integer, most significant byte first.
  @inlinable public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
    LMDBShare.withBytes(of: value.bigEndian) { append($0) }
  }

  /// Overwrites an integer that was appended before at `offset`.
  @inlinable mutating func overwrite(at offset: Int, littleEndian value: UInt32) {
    for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
  }

  /// Calls `body` with the written bytes.
  @inlinable public func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    LMDBShare.withBytes(of: bytes, body)
  }

  /// Returns the written bytes.
  @inlinable public consuming func finish() -> [UInt8] { bytes }
}
