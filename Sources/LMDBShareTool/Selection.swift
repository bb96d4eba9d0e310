#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  /// Selects a part of a structure's contents.
  struct Selection: ParsableArguments {
    @Option(help: ArgumentHelp("Show only the first COUNT entries.", valueName: "count"))
    var head: Int?
    @Option(help: ArgumentHelp("Show only the last COUNT entries.", valueName: "count"))
    var tail: Int?
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp(
        "Positions, or keys of a dictionary: 5..<10, 5...9, 5... or ..<10.", valueName: "range"))
    var range: String?
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp(
        "Show only keys with this prefix: text, bytes, or composites that start with text.", valueName: "text"))
    var prefix: String?
    @Flag(help: "Show the last entry first.")
    var reverse = false
    @Flag(help: "Show only keys.")
    var keys = false
    @Flag(help: "Show only values.")
    var values = false

    func validate(raw: Bool) throws {
      if [head != nil, tail != nil].filter({ $0 }).count > 1 {
        throw ValidationError("--head and --tail cannot be combined.")
      }
      if keys && values { throw ValidationError("--keys and --values cannot be combined.") }
      if let negative = [head, tail].compactMap({ $0 }).first(where: { $0 < 0 }) {
        throw ValidationError("\(negative) is not a number of entries.")
      }
      if raw, range != nil || prefix != nil { throw ValidationError("--raw only supports --head and --tail.") }
      if range != nil, prefix != nil { throw ValidationError("--range and --prefix cannot be combined.") }
    }

    /// The positions below `count` that --head and --tail leave.
    func positions(of count: Int) -> Range<Int> {
      if let head { return 0..<min(head, count) }
      if let tail { return max(0, count - tail)..<count }
      return 0..<count
    }

    /// Walks the selection; `body` gets a position, the key of a dictionary's entry, and the value.
    func walk(_ contents: UntypedContents, _ body: (ListedEntry, RawSpan?, RawSpan) throws -> Void) throws {
      switch contents.description.kind.shape {
      case .sequence:
        try noPrefix(contents)
        let all = try Bounds.positions(range, of: contents.count)
        let shift = all.lowerBound
        let chosen = positions(of: all.count)
        try contents.walk(chosen.lowerBound + shift..<chosen.upperBound + shift, reversed: reverse) { position, value in
          try body(ListedEntry(position: position), nil, value)
          return true
        }
      case .map: try walkDictionary(contents, body)
      case .queue:
        try noPrefix(contents)
        guard !reverse else { throw ValidationError("--reverse does not go with queues.") }
        var total = 0
        if tail != nil || range != nil {
          try contents.walkItems { _, _ in
            total += 1; return true
          }
        }
        let within = try Bounds.positions(range, of: total)
        let inner = tail == nil && range == nil ? 0..<(head ?? .max) : positions(of: within.count)
        let chosen = range == nil ? inner : inner.lowerBound + within.lowerBound..<inner.upperBound + within.lowerBound
        var position = 0
        try contents.walkItems { item, value in
          if chosen.contains(position) { try body(ListedEntry(position: position, item: item), nil, value) }
          position += 1
          return position < chosen.upperBound
        }
      case .cell:
        var failure: (any Error)?
        contents.value { value in
          do { try body(ListedEntry(position: 0), nil, value) } catch { failure = error }
        }
        if let failure { throw failure }
      }
    }

    private func noPrefix(_ contents: UntypedContents) throws {
      if prefix != nil {
        throw ValidationError(
          "--prefix is for structures with keys; '\(Printable.text(contents.description.name))' has none.")
      }
    }

    private func walkDictionary(
      _ contents: UntypedContents, _ body: (ListedEntry, RawSpan?, RawSpan) throws -> Void
    ) throws {
      let bounds = try Bounds(range, prefix, Types(contents.description).key ?? BytesRepresentation())
      // From the end that is nearer.
      let limit = head ?? tail ?? .max
      let fromEnd = tail != nil ? true : head != nil ? false : reverse
      if limit == 0 { return }
      if fromEnd == reverse {
        var count = 0
        try contents.walk(from: bounds.lower, upTo: bounds.upper, reversed: reverse) { key, value in
          guard bounds.contain(key) else { return true }
          try body(ListedEntry(position: count), key, value)
          count += 1
          return count < limit
        }
        return
      }
      // Backwards: the start is found first.
      var start: [UInt8]?
      var count = 0
      try contents.walk(from: bounds.lower, upTo: bounds.upper, reversed: fromEnd) { key, _ in
        guard bounds.contain(key) else { return true }
        count += 1
        if count == limit { start = key.copied() }
        return count < limit
      }
      var position = 0
      try contents.walk(
        from: reverse ? bounds.lower : start ?? bounds.lower, upTo: bounds.upper, reversed: reverse
      ) { key, value in
        guard bounds.contain(key) else { return true }
        guard !reverse || position < count else { return false }
        // Forwards from the first wanted key; backwards the keys before the start are skipped.
        if reverse, let start, withBytes(of: start, { key.compare($0) > 0 }) { return true }
        try body(ListedEntry(position: position), key, value)
        position += 1
        return position < count
      }
    }
  }

  /// A range of keys.
  struct Bounds {
    /// Where a walk starts, and before which key it ends. Keys in between may still be outside, since only the first bytes of
    /// long keys are in order.
    private(set) var lower: [UInt8]?
    private(set) var upper: [UInt8]?
    private var least: [UInt8]?
    private var end: [UInt8]?
    /// How many bytes of long keys are in order.
    private static let ordered = 479

    init(_ range: String?, _ prefix: String?, _ key: any Representation) throws {
      if let prefix {
        guard let first = try key.keyPrefix(prefix) else {
          throw ValidationError("--prefix is for text, bytes and composites that start with text.")
        }
        end = Bounds.successor(first)
        if !first.isEmpty { least = first }
      } else if let range {
        guard let (from, to, isClosed) = Bounds.split(range) else { throw Bounds.malformed(range) }
        least = try from.map { try key.encode(argument: $0, isKey: true) }
        // The next key is one byte longer.
        end = try to.map { try key.encode(argument: $0, isKey: true) + (isClosed ? [0] : []) }
      }
      lower = least.map { $0.count >= Self.ordered ? Array($0.prefix(Self.ordered)) : $0 }
      upper = end.flatMap { $0.count >= Self.ordered ? Bounds.successor(Array($0.prefix(Self.ordered))) : $0 }
    }

    /// The least bytes after all that begin with the prefix; nil when there are none.
    private static func successor(_ prefix: [UInt8]) -> [UInt8]? {
      var bytes = prefix
      while let last = bytes.popLast() {
        if last < 0xFF { return bytes + [last + 1] }
      }
      return nil
    }

    /// Whether a key is within the bounds.
    func contain(_ key: RawSpan) -> Bool {
      if let least, withBytes(of: least, { key.compare($0) < 0 }) { return false }
      if let end, withBytes(of: end, { key.compare($0) >= 0 }) { return false }
      return true
    }

    /// The positions of a list that a range names; all when there is no range.
    static func positions(_ range: String?, of count: Int) throws -> Range<Int> {
      guard let range else { return 0..<count }
      guard let (from, to, isClosed) = split(range) else { throw malformed(range) }
      guard let lower = from.map({ Int($0) }) ?? 0, let upper = to.map({ Int($0) }) ?? count, lower >= 0, upper >= 0
      else { throw malformed(range) }
      let end = isClosed && to != nil && upper < .max ? upper + 1 : upper
      return min(lower, count)..<max(min(lower, count), min(end, count))
    }

    private static func split(_ range: String) -> (from: String?, to: String?, isClosed: Bool)? {
      for (mark, isClosed) in [("..<", false), ("...", true)] {
        guard let place = range.range(of: mark) else { continue }
        let (from, to) = (range[..<place.lowerBound], range[place.upperBound...])
        return (from.isEmpty ? nil : String(from), to.isEmpty ? nil : String(to), isClosed)
      }
      return nil
    }

    private static func malformed(_ range: String) -> ValidationError {
      ValidationError("'\(Printable.text(range))' is not a range: write 5..<10, 5...9, 5... or ..<10.")
    }
  }

  extension String {
    /// The first range of a text.
    fileprivate func range(of mark: String) -> Range<Index>? {
      var start = startIndex
      while start < endIndex {
        if self[start...].hasPrefix(mark) { return start..<index(start, offsetBy: mark.count) }
        start = index(after: start)
      }
      return nil
    }
  }
#endif
