/// Writes values in CBOR (RFC 8949), in its deterministic form, into one growing array of bytes.
public struct FieldWriter: ~Copyable, Sendable {
  @usableFromInline private(set) var bytes: [UInt8] = []
  /// How many arrays and maps are open.
  private var depth = 0
  /// How many entries the open map has.
  private var count = 0
  @usableFromInline private(set) var isReadable = true
  /// What is kept of the stored bytes of a value that was changed; nil for a new one.
  private var keeping: FieldKeeping?

  /// - Parameter old: The stored bytes of a value that was changed; fields that are not declared are kept.
  @usableFromInline init(changing old: [UInt8]?) {
    bytes.reserveCapacity(200)
    keeping = old.map { FieldKeeping($0) }
  }

  /// Appends a boolean.
  public mutating func append(_ value: Bool) { bytes.append(value ? CBORSimple.isTrue : CBORSimple.isFalse) }

  /// Appends an integer; beyond 64 bits as a big one.
  @inlinable public mutating func append<T: FixedWidthInteger>(_ value: T) {
    if let value = Int64(exactly: value) {
      appendSigned(value)
    } else if let value = UInt64(exactly: value) {
      appendUnsigned(value)
    } else {
      appendBig(UInt128(truncatingIfNeeded: value.magnitude), isNegative: value < 0)
    }
  }

  @usableFromInline mutating func appendSigned(_ value: Int64) { bytes.append(cborInteger: value) }
  @usableFromInline mutating func appendUnsigned(_ value: UInt64) { bytes.append(cborInteger: value) }
  @usableFromInline mutating func appendBig(_ magnitude: UInt128, isNegative: Bool) {
    bytes.append(cborMagnitude: magnitude, isNegative: isNegative)
  }

  /// Appends a number, in the fewest bytes that keep it.
  public mutating func append(_ value: Double) { bytes.append(cborFloat: value) }

  /// Appends a text.
  public mutating func append(_ value: String) { bytes.append(cborText: value) }

  /// Appends a byte string.
  public mutating func append(_ value: RawSpan) { bytes.append(cborBytes: value) }

  /// Appends null.
  public mutating func appendNull() { bytes.append(CBORSimple.null) }

  mutating func append(_ write: (inout [UInt8]) -> Void) { write(&bytes) }

  /// Begins an array. As many values must follow, and then ``end()``.
  /// - Throws: ``EncodingFailure`` when it would lie more than 256 levels deep.
  public mutating func begin(arrayOf count: Int) throws(EncodingFailure) {
    try open()
    bytes.append(cbor: CBORMajor.array, UInt64(count))
    keeping?.openElements()
  }

  /// Ends an array.
  public mutating func end() {
    depth -= 1
    keeping?.close()
  }

  /// Begins a map with text keys. As many entries must follow, each a key and a value, and then ``end()``.
  mutating func begin(mapOf count: Int) throws(EncodingFailure) {
    try open()
    bytes.append(cbor: CBORMajor.map, UInt64(count))
    keeping?.openEntries()
  }

  private mutating func open() throws(EncodingFailure) {
    guard depth < CBORDepth.written else { throw EncodingFailure("more than \(CBORDepth.written) levels") }
    depth += 1
  }

  /// Appends a key, whose value must follow.
  mutating func append(_ key: FieldKey) {
    bytes.append(contentsOf: key.bytes)
    keeping?.select(key.name)
  }

  /// Appends the key of a field, whose value must follow.
  @usableFromInline mutating func append(field key: FieldKey) {
    append(key)
    count += 1
  }

  // MARK: Fields

  /// What was open before a map of fields.
  @usableFromInline struct Outer {
    let start: Int
    let count: Int
    let depth: Int
  }

  /// Begins a map of fields.
  @usableFromInline mutating func beginFields(_ keys: FieldKeys) throws(EncodingFailure) -> Outer {
    if let repeated = keys.repeated { throw EncodingFailure("its type declares the field '\(repeated)' twice") }
    try open()
    keeping?.openEntries()
    let outer = Outer(start: bytes.count, count: count, depth: depth)
    // The head, which is usually one byte; the number of entries is not known yet.
    bytes.append(0)
    count = 0
    return outer
  }

  /// Ends a map of fields.
  /// - Throws: ``EncodingFailure`` when a field's type did not end what it began, or ended more.
  @usableFromInline mutating func endFields(_ outer: Outer, _ keys: FieldKeys) throws(EncodingFailure) {
    guard depth == outer.depth else { throw EncodingFailure("an array of a field was not ended, or ended twice") }
    if let unknown = keeping?.unknown(keys), !unknown.isEmpty {
      count += unknown.count
      let entries = FieldKeeping.merged(Array(bytes[(outer.start + 1)...]), unknown)
      bytes.replaceSubrange((outer.start + 1)..., with: entries)
    }
    keeping?.close()
    if count < 24 {
      bytes[outer.start] = CBORMajor.map << 5 | UInt8(count)
    } else {
      var head: [UInt8] = []
      head.append(cbor: CBORMajor.map, UInt64(count))
      bytes.replaceSubrange(outer.start...outer.start, with: head)
    }
    count = outer.count
    depth -= 1
  }

  /// Appends what a coder wrote for the value of a field, which needs the stored bytes of the value that it changes.
  mutating func append(
    coded write: (_ depth: Int, _ old: [UInt8]?) throws(EncodingFailure) -> [UInt8]
  ) throws(EncodingFailure) {
    bytes += try write(depth, keeping?.selected)
  }

  /// Notes that not all that is written can be read.
  @usableFromInline mutating func mustBeRead() { isReadable = false }

  /// Reads once what was written, if that could fail.
  /// - Throws: ``EncodingFailure`` when it does.
  @inlinable func check<T: FieldValue>(_ type: T.Type) throws(EncodingFailure) {
    if !isReadable || !T.isFieldAlwaysReadable { try read(type) }
  }

  @usableFromInline func read<T: FieldValue>(_: T.Type) throws(EncodingFailure) {
    do throws(DecodingFailure) {
      _ = try T.readField(FieldReader(CBORItems(bytes), 0))
    } catch {
      throw EncodingFailure("it could not be read again: \(error)")
    }
  }
}
