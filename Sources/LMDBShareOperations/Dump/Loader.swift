package import LMDBShare

/// Reads a dump into a store, in one transaction.
package struct Loader: ~Copyable {
  /// How to load a structure that exists already.
  package enum Existing { case refuse, merge, replace }

  private let existing: Existing
  private var lines: Lines
  private var progress: Progress
  private var entry = DumpEntry()
  package private(set) var entries = 0
  package private(set) var structures = 0
  /// Whether structures keep their identities: in a store for which no process can have a handle of an earlier structure.
  private var keepsIdentities = false
  private var identities: Set<UInt64> = []

  package init(_ lines: consuming Lines, existing: Existing, size: Int?) {
    self.lines = lines
    self.existing = existing
    progress = Progress(size == nil ? "entries" : "bytes", of: size)
    counts = size != nil
  }
  /// Whether progress is reported in bytes.
  private let counts: Bool

  /// Checks the first line, before anything is opened.
  package mutating func begin() throws {
    guard try lines.advance() else { throw Problem("the input is empty: this is not a dump") }
    try at {
      let line = try lines.withLine { try DumpLine($0) }
      guard line.dump == "lmdbshare" else { throw ValueProblem("this is not a dump of lmdbshare") }
      guard line.version == Int64(Dumper.version) else {
        throw ValueProblem("a dump of version \(line.version ?? 0); the known version is \(Dumper.version)")
      }
    }
  }

  /// Reads all structures.
  package mutating func load(into txn: borrowing WriteTransaction) throws {
    defer { progress.end() }
    keepsIdentities = txn.isNew
    while try lines.advance() {
      let header = try at { try lines.withLine { try DumpLine($0) } }
      if header.isEnd, header.end == nil {
        guard header.numbers["structures"] == Int64(structures) else {
          throw Problem("line \(lines.number): \(structures) structures were read; nothing was loaded")
        }
        guard try !lines.advance() else {
          throw Problem("line \(lines.number): more text after the end; nothing was loaded")
        }
        return
      }
      try structure(header, txn)
    }
    throw Problem("the input ends before the dump does; nothing was loaded")
  }

  private mutating func structure(_ header: DumpLine, _ txn: borrowing WriteTransaction) throws {
    var description = try at { try header.description() }
    if !keepsIdentities || !identities.insert(description.identity).inserted { description.identity = 0 }
    let types = Types(description)
    var target = try at { try Target(header, description, existing, txn) }
    structures += 1
    let before = entries
    while try lines.advance() {
      if lines.withLine({ DumpLine.isOne($0) }) {
        let end = try at { try lines.withLine { try DumpLine($0) } }
        guard end.isEnd, end.end == description.name, end.numbers["entries"] == Int64(entries - before) else {
          throw Problem(
            "line \(lines.number): the end of '\(Printable.text(description.name))' with \(entries - before) entries was expected; nothing was loaded"
          )
        }
        return try at { try target.finish(entries - before, txn) }
      }
      do {
        try lines.withLine { try entry.read($0, types) }
        try target.add(entry, entries - before, txn)
      } catch {
        throw told(error)
      }
      entries += 1
      progress.update(
        counts ? lines.bytesRead : entries, counts ? "" : Printable.cut(Printable.text(description.name), to: 30))
    }
    throw Problem("the input ends before '\(Printable.text(description.name))' does; nothing was loaded")
  }

  /// Adds the line's number to an error.
  private func at<R>(_ body: () throws -> R) throws -> R {
    do { return try body() } catch { throw told(error) }
  }

  private func told(_ error: any Error) -> Problem {
    switch error {
    case let error as Problem: Problem("line \(lines.number): \(error.description); nothing was loaded", error.status)
    case let error as StoreError:
      Problem(
        "line \(lines.number): \(error.forTheTool.description); nothing was loaded",
        Status(error.code))
    default: Problem("line \(lines.number): \(error); nothing was loaded")
    }
  }
}

/// The structure that is being loaded.
private struct Target {
  private let description: StructureDescription
  private let numbers: UntypedContents.QueueNumbers
  /// Nil until the bytes of a value are known.
  private var contents: UntypedContents?
  /// The item numbers of a queue, which must differ.
  private var numbersSeen: Set<UInt64> = []
  /// Whether entries are added to existing ones.
  private let merges: Bool

  package init(
    _ header: DumpLine, _ description: StructureDescription, _ existing: Loader.Existing,
    _ txn: borrowing WriteTransaction
  ) throws {
    self.description = description
    numbers = .init(
      lastSequence: UInt64(header.numbers["lastSequence"] ?? 0), lastToken: UInt64(header.numbers["lastToken"] ?? 0),
      isClosed: header.isClosed)
    guard numbers.lastSequence < 1 << 54, numbers.lastToken < 1 << 60 else {
      throw ValueProblem("impossible numbers of a queue")
    }
    let known = try txn.description(of: description.name)
    if let known, existing == .merge {
      guard known.hasSameContents(as: description) else {
        throw Problem("'\(Printable.text(description.name))' is a \(known) here and a \(description) in the dump")
      }
      merges = true
      open(try txn.untyped(description.name), txn)
      return
    }
    merges = false
    if known != nil {
      guard existing == .replace else {
        throw Problem("there is a structure '\(Printable.text(description.name))' already; add --merge or --replace")
      }
      try txn.remove(description.name)
    }
    switch description.kind.shape {
    case .cell where description.kind == .value: break
    case .cell:
      open(try txn.create(description, initial: description.kind == .event ? [0] : []), txn)
    // An array grows with its input, whatever its description says.
    case .sequence, .map, .queue: open(try txn.create(description, isFilled: false), txn)
    }
  }

  private mutating func open(_ structure: UntypedStructure, _ txn: borrowing WriteTransaction) {
    contents = txn.contents(structure)
  }

  package mutating func add(_ entry: borrowing DumpEntry, _ index: Int, _ txn: borrowing WriteTransaction) throws {
    guard let contents else {
      return open(try txn.create(description, initial: entry.value.bytes), txn)
    }
    switch description.kind.shape {
    case .sequence where description.kind == .list:
      try entry.value.withBytes { bytes in Result { try contents.append(bytes) } }.get()
    case .sequence where merges: try contents.replace(index, entry.value.bytes)
    case .sequence:
      guard index < description.count ?? 0 else {
        throw ValueProblem("more elements than the \(description.count ?? 0) of the array")
      }
      try entry.value.withBytes { bytes in Result { try contents.append(bytes) } }.get()
    case .map:
      entry.key.withBytes { key in entry.value.withBytes { contents.set($0, forKey: key, isLast: true) } }
    case .queue:
      let item = entry.item
      guard merges || numbersSeen.insert(item.sequence).inserted else {
        throw ValueProblem("item \(item.sequence) is repeated")
      }
      try entry.value.withBytes { bytes in
        Result { if merges { try contents.add(item, bytes) } else { try contents.restore(item, bytes) } }
      }.get()
    case .cell where description.kind == .value || description.kind == .event:
      guard index == 0 else { throw ValueProblem("\(description.kind.withArticle) has one entry") }
      contents.setValue(entry.value.bytes)
    case .cell: throw ValueProblem("\(description.kind.withArticle) has no entries")
    }
    if let failure = contents.failure { throw failure }
  }

  package func finish(_ count: Int, _ txn: borrowing WriteTransaction) throws {
    guard let contents else { throw ValueProblem("a value without an entry") }
    switch description.kind {
    case .list:
      if let maximum = contents.description.maximumCount, contents.count > maximum {
        contents.remove(0..<contents.count - maximum)
      }
    case .queue: if !merges { contents.restore(numbers) }
    case .array:
      guard count == description.count else { throw ValueProblem("\(count) of \(description.count ?? 0) elements") }
    default: break
    }
    if let failure = contents.failure { throw failure }
  }
}

extension StructureDescription {
  /// Whether the contents of one can be stored in the other.
  func hasSameContents(as other: StructureDescription) -> Bool {
    kind == other.kind && key == other.key && element == other.element && hasLayout(of: other)
      && elementSize == other.elementSize && (kind != .array || count == other.count)
  }
}
