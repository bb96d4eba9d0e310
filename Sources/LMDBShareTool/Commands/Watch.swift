#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Watch: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the changes of each commit of any process.",
      discussion: """
        Added, removed and changed entries are found by comparing snapshots. Commits that are faster than the comparison are \
        combined, and the last one is never missed. Ctrl-C ends the command. With --timeout, it also exits with status 4 when \
        nothing has changed for that time.

        A named structure must exist, unless --wait is given: then its creation is reported as a change, too.

        Examples:
          lmdbshare watch team.lmdb
          lmdbshare watch team.lmdb scores --format jsonl
          lmdbshare watch team.lmdb log --values
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The structures; all if omitted.", completion: Completion.structures)
    var names: [String] = []
    @Flag(help: "Print only which structures changed, and their numbers of entries.")
    var summary = false
    @Flag(help: "Print only new values, like tail -f of a list or queue.")
    var values = false
    @Option(help: ArgumentHelp("Exit after COUNT snapshots with changes.", valueName: "count"))
    var count: Int?
    @Flag(help: "Wait for structures that do not exist yet.")
    var wait = false
    @OptionGroup var output: FormatOption

    func validate() throws {
      if output.format == .csv || output.format == .json { throw ValidationError("watch prints text or jsonl.") }
      if summary, values { throw ValidationError("--summary and --values cannot be combined.") }
      if wait, names.isEmpty { throw ValidationError("--wait needs the name of a structure.") }
    }

    func run() throws {
      let patience = store.timeout?.duration
      let store = try store.forReading()
      var watcher = try Watcher(store, names)
      for name in names where watcher.known[name] == nil {
        guard wait else {
          throw Problem(
            "there is no structure '\(Printable.text(name))'; ls lists them, and --wait waits for it", .notFound)
        }
        Failure.say("there is no structure '\(Printable.text(name))' yet; waiting for it")
      }
      var printer = DifferencePrinter(output)
      var seen = 0
      let wait = patience ?? .seconds(1 << 30)
      var deadline = ContinuousClock.now + wait
      while seen < count ?? .max {
        let left = max(.zero, ContinuousClock.now.duration(to: deadline))
        guard try store.waitForChange(after: watcher.snapshot.id, timeout: left) != nil else {
          throw Problem("nothing has changed for \(Size.text(wait))", .busy)
        }
        let before = printer.count
        try watcher.advance(store) { change in try tell(change, &printer) }
        if printer.count > before {
          try printer.flush()
          seen += 1
          deadline = .now + wait
        }
      }
    }

    /// Prints a change, and before the first one of a snapshot a line about the snapshot.
    private func tell(_ change: Watcher.Change, _ printer: inout DifferencePrinter) throws {
      let number = output.format == .jsonl ? change.snapshot : nil
      if number == nil, !values {
        let commits = change.commits > 1 ? ", \(change.commits) commits" : ""
        printer.announce(output.style.faint("# transaction \(change.snapshot)\(commits)"), change.snapshot)
      }
      switch change.what {
      case .structure(let old, let new):
        if !values { try printer.structure(change.name, old, new, snapshot: number) }
      case .contents(let old, let new):
        let types = Types((new ?? old)!.description)
        if summary { return try printer.counts(change.name, old?.count, new?.count, snapshot: number) }
        if !values { try printer.closing(change.name, from: old, to: new, snapshot: number) }
        try Difference.walk(from: old, to: new) { entry in
          if values {
            // Items that were only returned to their queue are not new.
            guard let value = entry.new, entry.kind == .inserted || entry.item == nil && entry.position == nil else {
              return
            }
            try printer.value(value, types, snapshot: number)
          } else {
            try printer.entry(change.name, entry, types, Types((old ?? new)!.description), snapshot: number)
          }
        }
      }
    }
  }

  /// Advances from one snapshot of a store to the next.
  struct Watcher {
    struct Change {
      enum What {
        case structure(StructureDescription?, StructureDescription?)
        case contents(UntypedContents?, UntypedContents?)
      }
      var snapshot: Int
      var commits: Int
      var name: String
      var what: What
    }

    private let names: [String]
    private(set) var snapshot: Snapshot
    private(set) var known: [String: UntypedStructure] = [:]
    private var trees: [String: [UInt8]] = [:]

    init(_ store: SharedStore, _ names: [String]) throws {
      self.names = names
      (snapshot, known) = try Watcher.take(store, names, [:])
      trees = try Watcher.trees(snapshot, known)
    }

    /// A snapshot, with all of its structures.
    private static func take(
      _ store: SharedStore, _ names: [String], _ known: [String: UntypedStructure]
    ) throws -> (Snapshot, [String: UntypedStructure]) {
      let snapshot = try store.snapshot()
      var present: [String: UntypedStructure] = [:]
      try snapshot.read { txn in
        for description in try txn.structures(of: store) where names.isEmpty || names.contains(description.name) {
          let before = known[description.name]
          present[description.name] =
            before?.description.identity == description.identity
            ? before : try txn.structure(description, in: store)
        }
      }
      return (snapshot, present)
    }

    private static func trees(
      _ snapshot: Snapshot, _ structures: [String: UntypedStructure]
    ) throws -> [String: [UInt8]] {
      try snapshot.read { txn in
        structures.mapValues { structure in
          let contents = txn.contents(structure)
          return contents.tree ?? contents.value { $0.copied() } ?? []
        }
      }
    }

    /// Advances to the newest snapshot, and reports the differences.
    mutating func advance(_ store: SharedStore, _ body: (Change) throws -> Void) throws {
      let (old, oldKnown, oldTrees) = (snapshot, known, trees)
      (snapshot, known) = try Watcher.take(store, names, known)
      trees = try Watcher.trees(snapshot, known)
      let number = snapshot.id
      let commits = number - old.id
      defer { old.end() }
      for name in Set(oldKnown.keys).union(known.keys).sorted() {
        let (before, after) = (oldKnown[name], known[name])
        let isSame = before?.description.identity == after?.description.identity
        if isSame, oldTrees[name] == trees[name] { continue }
        if !isSame {
          try body(
            Change(
              snapshot: number, commits: commits, name: name, what: .structure(before?.description, after?.description))
          )
        }
        try old.read { old in
          try snapshot.read { new in
            try body(
              Change(
                snapshot: number, commits: commits, name: name,
                what: .contents(before.map { old.contents($0) }, after.map { new.contents($0) })))
          }
        }
      }
    }
  }

  extension DifferencePrinter {
    /// The number of a structure's entries, before and now.
    mutating func counts(_ name: String, _ old: Int?, _ new: Int?, snapshot: Int?) throws {
      if let snapshot {
        var fields: [Records.Field] = [
          .init("snapshot", .number(snapshot)), .init("structure", .text(name)), .init("change", .text("changed")),
        ]
        if let old { fields.append(.init("before", .number(old))) }
        if let new { fields.append(.init("count", .number(new))) }
        try object(fields)
      } else {
        let numbers = [old.map { "\($0) →" }, new.map { "\($0)" }].compactMap { $0 }.joined(separator: " ")
        try line("~ \(Printable.text(name))  \(numbers.isEmpty ? "changed" : numbers)")
      }
      note()
    }

    /// A new value without its entry.
    mutating func value(_ value: [UInt8], _ types: Types, snapshot: Int?) throws {
      if snapshot == nil {
        try line(withBytes(of: value) { types.text($0, limit: 1000) })
      } else {
        var json = JSONWriter()
        json.begin("{")
        withBytes(of: value) { types.writeValue($0, to: &json) }
        json.end("}")
        try line(json: &json)
      }
      note()
    }
  }
#endif
