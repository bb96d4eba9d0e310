/// A type with an earlier version that is not compatible with it.
///
///     struct Measure: Codable, Upgradable {
///       static let storageVersion = 2
///       var kelvin: Double
///
///       struct Version1: Codable, Storable {
///         static let storageTypeName = "Measure"
///         var celsius: Int
///       }
///       init(upgrading earlier: Version1) { kelvin = Double(earlier.celsius) + 273.15 }
///     }
///
/// A new structure gets the version that the type declares. One of the earlier version is opened, too, and its values are upgraded one
/// by one as they are read; it cannot be written, since the programs that made it would not understand it.
/// ``SharedStore/upgrade(_:to:timeout:)`` stores all of its values anew, and from then on it is one of the new version.
///
/// The earlier version may be `Upgradable` itself: then values of all versions are upgraded step by step.
///
/// Versions are those of a structure's elements. A type that has an `Upgradable` one in a field is upgraded as a whole: it has a version
/// of its own, and an earlier version in whose field the earlier type is.
public protocol Upgradable: Storable where StorageCodec: VersionedCodec {
  /// The type as it was in the earlier version: it has the name and version with which its values were stored. Its values must not
  /// have a fixed size, as numbers do.
  associatedtype Earlier: Storable

  /// Makes a value from one of the earlier version.
  /// - Throws: An error when there is none; the value counts as one that cannot be decoded.
  init(upgrading earlier: Earlier) throws
}

extension Upgradable {
  /// The representations of values of earlier versions. Elements of a fixed size are stored in another way.
  static var earlierIdentifiers: [String] {
    if Earlier.self == Self.self { return ["cbor(\(recordedName))"] }
    return Earlier.StorageCodec.fixedByteCount == nil ? Earlier.StorageCodec.identifiers : []
  }

  /// Decodes a value of an earlier version: `form` is the index of its representation among the earlier ones.
  static func decodeEarlier(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Self {
    let earlier = try Earlier.StorageCodec.decode(bytes, in: form)
    do {
      return try Self(upgrading: earlier)
    } catch {
      throw DecodingFailure("\(Self.self) cannot be made from its earlier version: \(error)")
    }
  }
}

/// A codec that reads the values of a type's earlier versions, too: ``CBORCodec``, ``JSONCodec`` and ``FieldCodec``.
public protocol VersionedCodec<Value>: MultiformCodec {}

/// The representations of a type's earlier versions, which come after those of its own.
@usableFromInline enum EarlierVersions<Value: Storable> {
  /// Empty for a type that has no earlier version.
  @usableFromInline static var identifiers: [String] {
    (Value.self as? any Upgradable.Type)?.earlierIdentifiers ?? []
  }

  @usableFromInline static func decode(_ bytes: RawSpan, in form: Int) throws(DecodingFailure) -> Value {
    func decode<U: Upgradable>(_: U.Type) throws(DecodingFailure) -> Value? {
      try U.decodeEarlier(bytes, in: form) as? Value
    }
    guard let type = Value.self as? any Upgradable.Type, let value = try decode(type) else {
      throw DecodingFailure("\(Value.self) has no earlier version")
    }
    return value
  }

  /// What is wrong when a value is to be stored in a representation of an earlier version.
  @usableFromInline static var failure: EncodingFailure {
    EncodingFailure(
      "the structure has values of an earlier version of \(Value.self)",
      advice: "upgrade it first: store.upgrade(name, to: Element.self), with the type with which it is opened")
  }
}
