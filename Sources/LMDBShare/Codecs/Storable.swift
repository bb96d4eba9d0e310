/// A type whose values a store can hold.
///
/// The standard types conform. Your own types conform by one word:
///
///     struct Job: Codable, Storable { var path: String }       // as CBOR
///     enum State: String, Storable { case ready, done }        // as its raw value
///     struct Point: BitwiseStorable { var x, y: Double }       // as it is in memory
///
/// or by their own ``Codec``: `typealias StorageCodec = PointCodec`. A type that is both `Codable` and
/// `RawRepresentable` is stored as its raw value. A `Codable` type that is ``JSONStored`` is stored as JSON.
public protocol Storable: Sendable {
  #if FoundationCodecs
    /// The representation of this type's values in the file.
    // The compiler shows the next line if the conformance is missing.
    associatedtype StorageCodec: Codec = CBORCodec<Self> where StorageCodec.Value == Self  // Conform to Codable, too!
  #else
    /// The representation of this type's values in the file.
    associatedtype StorageCodec: Codec where StorageCodec.Value == Self
  #endif

  /// The type's name, for representations that do not depend on the type (CBOR, JSON, bits). It is recorded in the store and compared
  /// at every opening. Keep it when you rename the type.
  static var storageTypeName: String { get }

  /// The type's version, for those representations; it is recorded behind the name if it is not 1. Count it up when values change in
  /// a way that programs of the earlier version must not see, see ``Upgradable``.
  static var storageVersion: Int { get }

  /// A value that stands in for one that cannot be decoded, where the error can be thrown only later, for ``CBORCodec``, ``JSONCodec``
  /// and ``FieldCodec``. With nil they make one of zeros, empty strings and nils, if the type takes it. See ``Codec/placeholder``.
  static var storagePlaceholder: Self? { get }
}

extension Storable {
  /// The type's own name.
  public static var storageTypeName: String { String(describing: Self.self) }

  /// 1.
  public static var storageVersion: Int { 1 }

  /// Nil.
  public static var storagePlaceholder: Self? { nil }

  /// The type's name and, if it is not the first, its version, as they are recorded.
  static var recordedName: String {
    storageVersion == 1 ? storageTypeName : "\(storageTypeName) \(storageVersion)"
  }
}

extension Storable where Self: RawRepresentable, RawValue: Storable {
  /// The raw value's representation.
  public typealias StorageCodec = RawValueCodec<Self>
}

/// A type whose values all take the same number of bytes, as a ``SharedArray`` requires.
public protocol FixedSizeStorable: Storable {}

/// A type that can be the key of a ``SharedDictionary``; its ``KeyCodec`` keeps the order.
public protocol StorableKey: Storable, Hashable {
  /// The representation of this type's keys in the file.
  associatedtype OrderedCodec: KeyCodec where OrderedCodec.Value == Self
}

extension StorableKey where Self: RawRepresentable, RawValue: StorableKey {
  /// The raw value's representation.
  public typealias OrderedCodec = RawValueKeyCodec<Self>
}

/// A `BitwiseCopyable` struct that is stored as it is in memory.
///
/// Conform only types whose fields are integers and floating-point numbers (or structs and tuples of these): every
/// pattern of bits must be a valid value, since stored bytes are not validated. Byte order and layout are the machine's.
public protocol BitwiseStorable: FixedSizeStorable, BitwiseCopyable where StorageCodec == BitwiseCodec<Self> {}
