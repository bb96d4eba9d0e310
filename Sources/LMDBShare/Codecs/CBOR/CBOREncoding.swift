#if FoundationCodecs
  // The encoder for `Codable` types. Values are written depth first into one array of bytes; a map is put into the order of its keys
  // when it is complete. Containers that a type may fill in any order (nested ones, and those of a superclass) are written apart, and
  // inserted when their parent is complete.

  /// What is written for one value, or for one nested container.
  final class CBOREncoding {
    /// An open item.
    private struct Frame {
      enum Kind { case none, single, array, map }
      var kind = Kind.none
      /// Where its bytes begin.
      let start: Int
      /// Where its entries begin.
      let entries: Int
      var count = 0
    }

    /// An entry of an open map, or an element of an open array that is written apart.
    private struct Entry {
      /// Where the key begins, and after it the value.
      let start: Int
      /// Where the key ends.
      let value: Int
      /// Where the value ends; known when the map is complete.
      var end = 0
      /// The index of what is written apart.
      var child: Int?
    }

    /// The mutable state. It lies in memory of its own, since checks of exclusive access would take a third of the time.
    private struct Fields {
      var bytes: [UInt8] = []
      var frames: [Frame] = []
      var entries: [Entry] = []
      var scratch: [UInt8] = []
    }
    private let fields = Cell(Fields())
    private var bytes: [UInt8] {
      get { fields.value.bytes }
      _modify { yield &fields.value.bytes }
    }
    private var frames: [Frame] {
      get { fields.value.frames }
      _modify { yield &fields.value.frames }
    }
    private var entries: [Entry] {
      get { fields.value.entries }
      _modify { yield &fields.value.entries }
    }
    private var scratch: [UInt8] {
      get { fields.value.scratch }
      _modify { yield &fields.value.scratch }
    }
    private var children: [CBOREncoding] = []
    /// What is kept of the stored bytes of a value that was changed; nil for a new one.
    private let keeping: CBORKeeping?
    /// How deep the value lies in others.
    private let depth: Int
    /// What cannot be thrown where it is noticed.
    private var failure: EncodingFailure?

    deinit { fields.destroy() }

    init(depth: Int = 0, keeping: CBORKeeping? = nil) {
      self.depth = depth
      self.keeping = keeping
      // Room for a value of some fields: growing step by step would take longer than writing them.
      bytes.reserveCapacity(240)
      frames.reserveCapacity(6)
      entries.reserveCapacity(12)
      frames.append(Frame(start: 0, entries: 0))
    }

    /// Returns the bytes of a value.
    ///
    /// - Parameter keeping: The stored bytes of a value that was changed; fields that its type does not have are kept.
    static func bytes(of value: some Encodable, depth: Int = 0, keeping: CBORKeeping? = nil) throws -> [UInt8] {
      let encoding = CBOREncoding(depth: depth, keeping: keeping)
      if encoding.writeKnown(value) { return encoding.bytes }
      try value.encode(to: CBOREncoder(encoding: encoding, frame: 0))
      return try encoding.finish()
    }

    /// Returns the bytes of the whole.
    func finish() throws(EncodingFailure) -> [UInt8] {
      try close(0)
      if let failure { throw failure }
      return bytes
    }

    // MARK: Frames

    /// Makes a frame an array or a map.
    func begin(_ frame: Int, isMap: Bool) {
      let kind: Frame.Kind = isMap ? .map : .array
      if frame == frames.count - 1, frames[frame].kind == .none {
        frames[frame].kind = kind
        // For its head, which is usually one byte.
        bytes.append(0)
      } else if !frames.indices.contains(frame) || frames[frame].kind != kind {
        failure = failure ?? EncodingFailure("it is encoded as values of two kinds")
      }
    }

    /// Makes a frame a map of the fields of a type.
    func begin<Key: CodingKey>(_ frame: Int, fields _: Key.Type) {
      begin(frame, isMap: true)
      if failure == nil { keeping?.hasFields(frame) { Key(stringValue: $0) != nil } }
    }

    /// Makes a frame a single value.
    func beginSingle(_ frame: Int) throws(EncodingFailure) {
      guard frame == frames.count - 1, frames[frame].kind == .none else {
        throw EncodingFailure("it is encoded as two values")
      }
      frames[frame].kind = .single
      keeping?.single(frame)
    }

    /// Begins an element of an array.
    func beginElement(_ frame: Int) throws(EncodingFailure) {
      try checkTop(frame)
      frames[frame].count += 1
      keeping?.field(frame, nil)
    }

    /// Begins an entry of a map.
    func beginEntry(_ frame: Int, _ key: String) throws(EncodingFailure) {
      try checkTop(frame)
      frames[frame].count += 1
      let start = bytes.count
      bytes.append(cborText: key)
      entries.append(Entry(start: start, value: bytes.count))
      keeping?.field(frame, key)
    }

    private func checkTop(_ frame: Int) throws(EncodingFailure) {
      guard frame == frames.count - 1 else { throw EncodingFailure("a value is encoded while one inside of it is") }
      if let failure { throw failure }
    }

    func count(_ frame: Int) -> Int { frames.indices.contains(frame) ? frames[frame].count : 0 }

    /// Begins an element or entry that is written apart; when the frame cannot take one, it is lost, and the failure kept.
    func beginApart(_ frame: Int, _ key: String?) -> CBOREncoding {
      do throws(EncodingFailure) {
        if let key {
          try beginEntry(frame, key)
          entries[entries.count - 1].child = children.count
        } else {
          try beginElement(frame)
          entries.append(Entry(start: bytes.count, value: bytes.count, child: children.count))
        }
        let child = CBOREncoding(depth: depth + frames.count, keeping: keeping?.child())
        if depth + frames.count >= CBORDepth.written { failure = failure ?? Self.tooDeep }
        children.append(child)
        return child
      } catch {
        failure = failure ?? error
        return CBOREncoding(depth: depth + frames.count)
      }
    }

    private static let tooDeep = EncodingFailure("more than \(CBORDepth.written) levels")

    /// Writes the value of an element, an entry, or a single value.
    func encode(_ value: some Encodable) throws {
      if writeKnown(value) { return }
      guard depth + frames.count < CBORDepth.written else { throw Self.tooDeep }
      let frame = frames.count
      frames.append(Frame(start: bytes.count, entries: entries.count))
      keeping?.open()
      try value.encode(to: CBOREncoder(encoding: self, frame: frame))
      try close(frame)
    }

    /// Completes a frame: the last one, unless a value keeps a container after its end.
    private func close(_ index: Int) throws(EncodingFailure) {
      guard index == frames.count - 1 else { throw EncodingFailure("a value is encoded after its end") }
      keepUnknown()
      let frame = frames.removeLast()
      switch frame.kind {
      case .single: if bytes.count == frame.start { bytes.append(CBORSimple.null) }
      // Nothing was encoded.
      case .none: bytes.append(cbor: CBORMajor.map, 0)
      case .array:
        try insertChildren(frame)
        setHead(frame, CBORMajor.array, frame.count)
      case .map: setHead(frame, CBORMajor.map, try sort(frame))
      }
      entries.removeSubrange(frame.entries...)
    }

    /// Appends the fields that the type of the last frame does not have.
    private func keepUnknown() {
      guard let keeping, let frame = frames.last else { return }
      var written: Set<ArraySlice<UInt8>>?
      let count = entries.count
      keeping.close { key, value in
        // A type may write what it does not declare.
        let keys = written ?? Set(entries[frame.entries..<count].map { bytes[$0.start..<$0.value] })
        written = keys
        guard !keys.contains(key) else { return }
        entries.append(Entry(start: bytes.count, value: bytes.count + key.count))
        bytes += key
        bytes += value
      }
    }

    private func setHead(_ frame: Frame, _ major: UInt8, _ count: Int) {
      guard count >= 24 else { return bytes[frame.start] = major << 5 | UInt8(count) }
      scratch.removeAll(keepingCapacity: true)
      scratch.append(cbor: major, UInt64(count))
      bytes.replaceSubrange(frame.start...frame.start, with: scratch)
    }

    /// Inserts the elements of an array that were written apart.
    private func insertChildren(_ frame: Frame) throws(EncodingFailure) {
      guard entries.count > frame.entries else { return }
      scratch.removeAll(keepingCapacity: true)
      var done = frame.start
      for entry in entries[frame.entries...] {
        scratch.append(contentsOf: bytes[done..<entry.start])
        done = entry.start
        if let child = entry.child { scratch.append(contentsOf: try children[child].finish()) }
      }
      scratch.append(contentsOf: bytes[done...])
      bytes.replaceSubrange(frame.start..., with: scratch)
    }

    /// Puts the entries of a map into the order of their encoded keys; of those with the same key the last one remains.
    ///
    /// - Returns: The number of entries.
    private func sort(_ frame: Frame) throws(EncodingFailure) -> Int {
      let count = entries.count - frame.entries
      for index in frame.entries..<entries.count {
        entries[index].end = index + 1 == entries.count ? bytes.count : entries[index + 1].start
      }
      guard !isInOrder(frame) else { return count }
      let kept = try writeInOrder(frame)
      bytes.replaceSubrange((frame.start + 1)..., with: scratch)
      return kept
    }

    /// Writes the entries of a map into `scratch`, in the order of their keys; returns their number.
    private func writeInOrder(_ frame: Frame) throws(EncodingFailure) -> Int {
      // Stable, so that equal keys stay in the order in which they were written.
      let written = bytes
      let sorted = entries[frame.entries...].sorted { Self.precedes(written, $0, $1) }
      scratch.removeAll(keepingCapacity: true)
      var kept = 0
      for (index, entry) in sorted.enumerated() {
        if index + 1 < sorted.count, !Self.precedes(written, entry, sorted[index + 1]) { continue }
        kept += 1
        scratch.append(contentsOf: written[entry.start..<entry.end])
        if let child = entry.child { scratch.append(contentsOf: try children[child].finish()) }
      }
      return kept
    }

    /// Whether the entries of a map already have the order of their keys, each once, and their values.
    private func isInOrder(_ frame: Frame) -> Bool {
      let (bytes, entries) = (bytes, entries)
      for index in frame.entries..<entries.count {
        if entries[index].child != nil { return false }
        if index > frame.entries, !Self.precedes(bytes, entries[index - 1], entries[index]) { return false }
      }
      return true
    }

    private static func precedes(_ bytes: [UInt8], _ a: Entry, _ b: Entry) -> Bool {
      let (first, second) = (a.value - a.start, b.value - b.start)
      for index in 0..<min(first, second) {
        let (x, y) = (bytes[a.start + index], bytes[b.start + index])
        if x != y { return x < y }
      }
      return first < second
    }

    // MARK: Values

    func writeNull() { bytes.append(CBORSimple.null) }
    func write(_ value: Bool) { bytes.append(value ? CBORSimple.isTrue : CBORSimple.isFalse) }
    func write(_ value: String) { bytes.append(cborText: value) }
    func write(_ value: Double) { bytes.append(cborFloat: value) }
    func write(_ value: Float) { bytes.append(cborFloat: CBORFloat.double(single: value.bitPattern)) }
    func write(integer value: some FixedWidthInteger) { bytes.append(cborInteger: value) }
    func write(_ append: (inout [UInt8]) -> Void) { append(&bytes) }
    func write(bytes value: some Collection<UInt8>) {
      bytes.append(cbor: CBORMajor.bytes, UInt64(value.count))
      bytes.append(contentsOf: value)
    }
  }
#endif
