/// A type whose values a store can hold.
///
/// The standard types conform. A type of your own says one word:
///
///     struct Job: Codable, Storable { var path: String }       // as JSON
///     enum State: String, Storable { case ready, done }        // as its raw value
///     struct Point: BitwiseStorable { var x, y: Double }       // as it lies in memory
///
/// or names a ``Codec`` of its own: `typealias StorageCodec = PointCodec`. A type that is both `Codable` and
/// `RawRepresentable` is stored as its raw value.
public protocol Storable: Sendable {
  #if FoundationCodecs
    /// How values of this type lie in the file.
    associatedtype StorageCodec: Codec = JSONCodec<Self> where StorageCodec.Value == Self
  #else
    /// How values of this type lie in the file.
    associatedtype StorageCodec: Codec where StorageCodec.Value == Self
  #endif

  /// The type's name where the representation alone does not tell it (JSON, bits); recorded in the store and compared
  /// at every open. Keep it when you rename the type.
  static var storageTypeName: String { get }
}

extension Storable {
  /// The type's own name.
  public static var storageTypeName: String { String(describing: Self.self) }
}

extension Storable where Self: RawRepresentable, RawValue: Storable {
  /// The raw value's representation.
  public typealias StorageCodec = RawValueCodec<Self>
}

/// A type all of whose values take the same number of bytes: what a ``SharedArray`` holds.
public protocol FixedSizeStorable: Storable {}

/// A type that can be the key of a ``SharedDictionary``: its ``KeyCodec`` keeps the order.
public protocol StorableKey: Storable, Hashable {
  /// How keys of this type lie in the file.
  associatedtype OrderedCodec: KeyCodec where OrderedCodec.Value == Self
}

extension StorableKey where Self: RawRepresentable, RawValue: StorableKey {
  /// The raw value's representation.
  public typealias OrderedCodec = RawValueKeyCodec<Self>
}

/// A `BitwiseCopyable` struct stored as it lies in memory.
///
/// Conform only types whose fields are integers and floating-point numbers (or structs and tuples of these): every
/// pattern of bits must be a valid value, since stored bytes are believed. Byte order and layout are the machine's.
public protocol BitwiseStorable: FixedSizeStorable, BitwiseCopyable where StorageCodec == BitwiseCodec<Self> {}
