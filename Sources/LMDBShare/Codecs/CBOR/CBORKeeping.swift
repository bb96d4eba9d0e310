#if FoundationCodecs
  // What the stored bytes of a value have beyond its type: fields that a newer version of the type added. They are kept when a
  // program that does not know them changes the value.

  /// The stored bytes of a value that is encoded again, and where in them is what is being written.
  final class CBORKeeping {
    private let items: CBORItems
    /// The fields that the type asks for when it decodes the stored bytes.
    private let read: CBORFieldNames
    /// One for each open frame of the encoding.
    private var levels: [Level]
    /// Where the stored value begins in place of which the next one is written.
    private var next: Int?

    private struct Level {
      /// The entries of the stored map; nil when there was none.
      let entries: CBOREntries?
      let position: Int?
      /// One for each container that was opened: whether its type has a field of a name.
      var hasField: [(String) -> Bool] = []
    }

    /// Returns nil when the bytes cannot be decoded as the type: what they mean is then not known.
    static func make<T: Decodable>(_ old: [UInt8], _: T.Type) -> CBORKeeping? {
      let read = CBORFieldNames()
      guard (try? CBORDecoder.value(T.self, CBORItems(old), noting: read)) != nil else { return nil }
      return CBORKeeping(CBORItems(old), read, at: 0)
    }

    private init(_ items: CBORItems, _ read: CBORFieldNames, at position: Int?) {
      self.items = items
      self.read = read
      levels = []
      next = position
      open()
    }

    /// Opens a level for the value that is written next.
    func open() {
      levels.append(Level(entries: next.flatMap { try? items.entries($0) }, position: next))
      next = nil
    }

    /// Notes which fields the type has whose container was opened.
    func hasFields(_ level: Int, _ hasField: @escaping (String) -> Bool) {
      if levels.indices.contains(level) { levels[level].hasField.append(hasField) }
    }

    /// The next value is the whole of a level's.
    func single(_ level: Int) { next = levels.indices.contains(level) ? levels[level].position : nil }

    /// The next value is that of a field, or, with nil, an element: elements of arrays have no names by which to find them again.
    func field(_ level: Int, _ name: String?) {
      next = levels.indices.contains(level) ? name.flatMap { levels[level].entries?.value($0) } : nil
    }

    /// A child that writes the next value apart.
    func child() -> CBORKeeping {
      defer { next = nil }
      return CBORKeeping(items, read, at: next)
    }

    /// Closes the last level, and calls `body` with the encoded key and the value of each field that neither what was written nor
    /// what was read has.
    func close(_ body: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Void) {
      guard let level = levels.popLast(), let position = level.position, level.entries != nil, !level.hasField.isEmpty
      else { return }
      let hasField = level.hasField + read.hasField[position, default: []]
      // The bytes were decoded: they are well-formed.
      guard let head = try? items.untagged(position) else { return }
      _ = try? items.forEach(head) { (key) throws(DecodingFailure) in
        let value = try items.skip(key, 1)
        let end = try items.skip(value, 1)
        // A key without a name is none of the type's.
        let name = (try? items.name(key)) ?? nil
        if !hasField.contains(where: { has in name.map(has) ?? false }) {
          body(items.bytes[key..<value], items.bytes[value..<end])
        }
        return end
      }
    }
  }

  /// Notes which fields a type has whose containers it opens when it is decoded, by the position of the map.
  final class CBORFieldNames {
    private(set) var hasField: [Int: [(String) -> Bool]] = [:]

    func note<Key: CodingKey>(_ position: Int, _: Key.Type) {
      hasField[position, default: []].append { Key(stringValue: $0) != nil }
    }
  }
#endif
