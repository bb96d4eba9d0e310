// The invariants of a stored map; see OnDiskFormat.md.

extension MapStorage {
  /// Whether the library knows that keys of this representation vary in size.
  private static func varies(_ key: String) -> Bool { key == "string" || key == "bytes" || key.hasPrefix("(") }

  /// Walks all entries. Throws an error if they contradict the format.
  func checkInvariants(_ reference: StructureReference) throws(StoreError) {
    let identifier = reference.description.key ?? ""
    var size: Int?
    var before: [UInt8]?
    var number = 0
    let cursor = Cursor(core, database)
    var isThere = cursor.move(.first)
    while isThere, !core.hasFailed {
      let key = cursor.key
      if let before, LMDBShare.withBytes(of: before, { $0.compare(key) >= 0 }) {
        throw reference.damage("entry \(number) is out of order")
      }
      if hasFixedKeys {
        guard size ?? key.byteCount == key.byteCount else {
          throw reference.damage("the key of entry \(number) has \(key.byteCount) bytes")
        }
        size = key.byteCount
      } else if Self.varies(identifier), StoredKey.isHashed(key, isFixed: false) {
        let value = cursor.value
        guard let length = value.littleEndian(at: 0, UInt32.self), 4 + Int(length) <= value.byteCount,
          StoredKey.make(value.extracting(4..<4 + Int(length))) == key.copied()
        else { throw reference.damage("the long key of entry \(number) is damaged") }
      }
      before = key.copied()
      number += 1
      isThere = cursor.move(.next)
    }
    if let failure = core.failure { throw failure }
    guard number == core.count(database) else {
      throw reference.damage("it has \(number) entries instead of \(core.count(database))")
    }
  }
}

extension StoredKey {
  /// Whether all keys of this representation have the same size; see OnDiskFormat.md.
  static func isFixed(_ identifier: String) -> Bool { RepresentationTable.fixedSize(of: identifier) != nil }
}
