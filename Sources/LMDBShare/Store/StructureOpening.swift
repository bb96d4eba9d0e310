/// A type that opens structures, and creates those that are missing: a ``SharedStore`` in a separate transaction, or a
/// ``WriteTransaction`` as part of itself.
///
///     let names = try store.list("names", of: String.self)
///     try store.write { txn in
///       let scores = try txn.dictionary("scores", of: String.self, Int.self)
///       txn[scores]["Ada"] = 1
///     }
///
/// An existing structure must match: opening throws ``StoreError/Code/typeMismatch`` when the name belongs to something else. The
/// protocol is not meant for other types.
public protocol StructureOpening: ~Copyable {
  /// Opens or creates a structure, for the library's own use.
  ///
  /// - Parameters:
  ///   - wanted: The structure's description for the catalogue.
  ///   - initial: The bytes of a new value, or of each element of a new array; nil for zero bytes.
  @_documentation(visibility: internal)
  func link(to wanted: StructureDescription, initial: [UInt8]?) throws -> StructureLink
}

extension StructureOpening where Self: ~Copyable {
  func link(to wanted: StructureDescription) throws -> StructureLink { try link(to: wanted, initial: nil) }
}

extension SharedStore: StructureOpening {
  /// Opens or creates a structure, for the library's own use.
  @_documentation(visibility: internal)
  public func link(to wanted: StructureDescription, initial: [UInt8]?) throws -> StructureLink {
    if let found = try existing(wanted) { return found }
    return try create(wanted, initial)
  }

  /// Does the same for a task: a missing structure is created on a thread that may block.
  nonisolated(nonsending) func link(
    to wanted: StructureDescription, initial: [UInt8]? = nil
  ) async throws -> StructureLink {
    if let found = try existing(wanted) { return found }
    return try await onThread { try self.create(wanted, initial) }
  }

  private func existing(_ wanted: StructureDescription) throws(StoreError) -> StructureLink? {
    try Catalogue.checkName(wanted.name)
    try wanted.checkNames([wanted.element] + wanted.otherElements)
    guard !environment.isWriting else {
      throw StoreError(
        .nestedWrite, "open", structure: wanted.name, reason: "this thread is inside a write of the same store",
        advice: "open it before, or ask the transaction: txn.\(wanted.kind.rawValue)(…)")
    }
    return try find(wanted.name, as: wanted).map { StructureLink(self, $0) }
  }

  private func create(_ wanted: StructureDescription, _ initial: [UInt8]?) throws(StoreError) -> StructureLink {
    try inOwnWrite(until: openingDeadline) { (core) throws(StoreError) in
      StructureLink(self, try self.openOrCreate(wanted, core, initial: initial))
    }
  }
}

extension WriteTransaction: StructureOpening {
  /// Opens or creates a structure, for the library's own use.
  @_documentation(visibility: internal)
  public func link(to wanted: StructureDescription, initial: [UInt8]?) throws -> StructureLink {
    StructureLink(store, try store.openOrCreate(wanted, core, initial: initial))
  }
}

/// Returns the bytes of a new structure's initial value.
func encoded<Value: Storable>(_ value: Value, _ name: String) throws(StoreError) -> [UInt8] {
  do throws(EncodingFailure) {
    return try Value.StorageCodec.withEncoded(value) { $0.copied() }
  } catch {
    throw .unencodable(name, error)
  }
}
