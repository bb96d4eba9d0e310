// For each type, its representation as a value and as a key.

extension Int: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<Int>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<Int>
}

extension Int8: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<Int8>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<Int8>
}

extension Int16: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<Int16>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<Int16>
}

extension Int32: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<Int32>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<Int32>
}

extension Int64: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<Int64>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<Int64>
}

extension Int128: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<Int128>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<Int128>
}

extension UInt: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<UInt>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<UInt>
}

extension UInt8: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<UInt8>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<UInt8>
}

extension UInt16: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<UInt16>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<UInt16>
}

extension UInt32: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<UInt32>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<UInt32>
}

extension UInt64: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<UInt64>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<UInt64>
}

extension UInt128: StorableKey, FixedSizeStorable {
  /// The integer's bytes, least significant first.
  public typealias StorageCodec = IntegerCodec<UInt128>
  /// The integer's bytes, most significant first, with the sign bit inverted.
  public typealias OrderedCodec = OrderedIntegerCodec<UInt128>
}

extension Double: StorableKey, FixedSizeStorable {
  /// IEEE 754 bits, least significant byte first.
  public typealias StorageCodec = FloatCodec<Double>
  /// IEEE 754 bits in numeric order.
  public typealias OrderedCodec = OrderedFloatCodec<Double>
}

extension Float: StorableKey, FixedSizeStorable {
  /// IEEE 754 bits, least significant byte first.
  public typealias StorageCodec = FloatCodec<Float>
  /// IEEE 754 bits in numeric order.
  public typealias OrderedCodec = OrderedFloatCodec<Float>
}

extension Bool: StorableKey, FixedSizeStorable {
  /// One byte, 0 or 1.
  public typealias StorageCodec = BoolCodec
  /// One byte, 0 or 1.
  public typealias OrderedCodec = BoolCodec
}

extension String: StorableKey {
  /// UTF-8.
  public typealias StorageCodec = UTF8Codec
  /// UTF-8.
  public typealias OrderedCodec = UTF8Codec
}

extension Array: Storable where Element: Storable {
  /// The elements one after the other.
  public typealias StorageCodec = ArrayCodec<Element>
}

extension Array: StorableKey where Element == UInt8 {
  /// The bytes, unchanged.
  public typealias OrderedCodec = BytesKeyCodec
}

extension Optional: Storable where Wrapped: Storable {
  /// A byte 0, or a byte 1 and the value.
  public typealias StorageCodec = OptionalCodec<Wrapped>
}
