#if FoundationCodecs
  // What the stored bytes of a value have beyond its type: fields that a newer version of the type added. They are kept when a
  // program that does not know them changes the value.

  /// The stored bytes of a value that is encoded again, and where in them is what is being written.
  final class CBORKeeping {
    let items: CBORItems
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

    init(_ items: CBORItems, at position: Int?) {
      self.items = items
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
    func hasFields(_ level: Int, _ hasField: @escaping (String) -> Bool) { levels[level].hasField.append(hasField) }

    /// The next value is the whole of a level's.
    func single(_ level: Int) { next = levels[level].position }

    /// The next value is that of a field, or, with nil, an element: elements of arrays have no names by which to find them again.
    func field(_ level: Int, _ name: String?) { next = name.flatMap { levels[level].entries?.value($0) } }

    /// A child that writes the next value apart.
    func child() -> CBORKeeping {
      defer { next = nil }
      return CBORKeeping(items, at: next)
    }

    /// Closes the last level, and calls `body` with the encoded key and the value of each field that its type does not have.
    func close(_ body: (_ key: [UInt8], _ value: ArraySlice<UInt8>) -> Void) throws(DecodingFailure) {
      let level = levels.removeLast()
      guard let position = level.position, level.entries != nil, !level.hasField.isEmpty else { return }
      _ = try items.forEach(items.untagged(position)) { (key) throws(DecodingFailure) in
        let value = try items.skip(key, 1)
        let end = try items.skip(value, 1)
        let name = try items.name(key)
        if name == nil || !level.hasField.contains(where: { $0(name ?? "") }) {
          body(Array(items.bytes[key..<value]), items.bytes[value..<end])
        }
        return end
      }
    }
  }
#endif
