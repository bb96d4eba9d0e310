#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Diff: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the differences between two stores, or a store and its backup.",
      discussion: """
        Lines with + are only in the second store, lines with - only in the first, and lines with ~ in both with different \
        values. Exits with status 2 when there are differences.

        Examples:
          lmdbshare diff backups/2026-11-24 team.lmdb
          lmdbshare diff backups/2026-11-24 team.lmdb scores --format jsonl
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The other store.", completion: .directory)
    var other: String
    @Argument(help: "The structures; all if omitted.", completion: Completion.structures)
    var names: [String] = []
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    func validate() throws {
      if output.format == .csv { throw ValidationError("diff prints text, json or jsonl.") }
    }

    func run() throws {
      let files = (
        try Opened(store, .always, reading),
        try Opened(StoreArgument(path: other, timeout: store.timeout), .always, reading)
      )
      guard let first = files.0.store, let second = files.1.store else {
        return try compareDatabases(files.0, files.1)
      }
      let before = try structures(of: first)
      let after = try structures(of: second)
      for name in names where before[name] == nil && after[name] == nil {
        throw Problem("neither store has a structure '\(Printable.text(name))'", .notFound)
      }
      var printer = DifferencePrinter(output)
      try first.read { old in
        try second.read { new in
          for name in Swift.Set(before.keys).union(after.keys).sorted() {
            let (a, b) = (before[name], after[name])
            if a?.description.form != b?.description.form {
              try printer.structure(name, a?.description, b?.description)
            }
            let types = Types((b ?? a)!.description)
            let oldTypes = Types((a ?? b)!.description)
            let contents = (a.map { old.contents($0) }, b.map { new.contents($0) })
            try printer.closing(name, from: contents.0, to: contents.1)
            try Difference.walk(from: contents.0, to: contents.1) { entry in
              try printer.entry(name, entry, types, oldTypes)
            }
          }
        }
      }
      try printer.finish()
      let unknown = try (first.unknownStructures() + second.unknownStructures()).filter { error in
        names.isEmpty || names.contains(error.structure ?? "")
      }
      for error in unknown { Failure.say("not compared: " + error.description) }
      if printer.count > 0 || !unknown.isEmpty { throw Failure.damage }
    }

    /// Compares files of which at least one was made by another program: as databases and bytes.
    private func compareDatabases(_ first: Opened, _ second: Opened) throws {
      let (before, after) = (try databases(of: first), try databases(of: second))
      for name in names where before[name] == nil && after[name] == nil {
        throw Problem("neither file has a database '\(Printable.text(name))'", .notFound)
      }
      var printer = DifferencePrinter(output)
      try first.reading { old in
        try second.reading { new in
          for name in Swift.Set(before.keys).union(after.keys).sorted() {
            let description = StructureDescription(name, .dictionary, key: "bytes", element: "bytes")
            let types = Types(description)
            let (a, b) = (before[name], after[name])
            if a?.layout != b?.layout {
              try printer.structure(name, a.map { _ in description }, b.map { _ in description })
            }
            try RawDifference.walk((old, a), (new, b), except: Swift.Set(before.keys).union(after.keys)) { entry in
              try printer.entry(name, entry, types, types)
            }
          }
        }
      }
      try printer.finish()
      if printer.count > 0 { throw Failure.damage }
    }

    private func databases(of file: Opened) throws -> [String: Opened.NamedDatabase] {
      let all = try file.databases().map { ($0.name ?? Opened.unnamed, $0) }
      return Dictionary(all.filter { names.isEmpty || names.contains($0.0) }) { first, _ in first }
    }

    private func structures(of store: SharedStore) throws -> [String: UntypedStructure] {
      var found: [String: UntypedStructure] = [:]
      for description in try store.structures() where names.isEmpty || names.contains(description.name) {
        found[description.name] = try store.untyped(description.name)
      }
      return found
    }
  }

  /// Prints differences.
  struct DifferencePrinter: ~Copyable {
    private let format: Format
    private let style: Style
    private let limit: Int
    private var output = Output()
    private var json = JSONWriter()
    private(set) var count = 0
    private var title: String?
    private var announced: Int?

    init(_ option: FormatOption, limit: Int = 1000) {
      format = option.format
      style = option.style
      self.limit = limit
    }

    /// A structure that was created, removed, or replaced.
    mutating func structure(
      _ name: String, _ old: StructureDescription?, _ new: StructureDescription?, snapshot: Int? = nil
    ) throws {
      switch format {
      case .text, .csv:
        let name = Printable.text(name)
        if let old, let new {
          try line(
            style.warning("~ \(name): a \(Printable.text(old.description)) became a \(Printable.text(new.description))")
          )
        } else if let new {
          try line(style.good("+ \(name): \(Printable.text(new.description))"))
        } else if let old {
          try line(style.bad("- \(name): \(Printable.text(old.description))"))
        }
      case .json, .jsonl:
        try begin(name, snapshot)
        json.name("change")
        json.plain(old == nil ? "created" : new == nil ? "dropped" : "replaced")
        json.name("kind")
        json.plain((new ?? old)?.kind.rawValue ?? "")
        try end()
      }
      count += 1
    }

    /// A queue that was closed, or reopened.
    mutating func closing(
      _ name: String, from old: UntypedContents?, to new: UntypedContents?, snapshot: Int? = nil
    ) throws {
      guard let old, let new, old.description.kind == .queue, new.description.kind == .queue,
        old.queueNumbers.isClosed != new.queueNumbers.isClosed
      else { return }
      let change = new.queueNumbers.isClosed ? "closed" : "reopened"
      switch format {
      case .text, .csv: try line(style.warning("~ \(Printable.text(name)): \(change)"))
      case .json, .jsonl:
        try begin(name, snapshot)
        json.name("change")
        json.plain(change)
        try end()
      }
      count += 1
    }

    /// An entry that differs.
    mutating func entry(
      _ name: String, _ entry: Difference.Entry, _ types: Types, _ oldTypes: Types, snapshot: Int? = nil
    ) throws {
      switch format {
      case .text, .csv: try line(text(Printable.text(name), entry, types, oldTypes))
      case .json, .jsonl:
        try begin(name, snapshot)
        json.name("change")
        json.plain(entry.kind.rawValue)
        if let item = entry.item { item.write(to: &json) }
        if let position = entry.position {
          json.name("position")
          json.number(position)
        }
        if let key = entry.key { withBytes(of: key) { types.writeKey($0, to: &json) } }
        if let old = entry.old { withBytes(of: old) { oldTypes.writeValue($0, "old", "oldBytes", to: &json) } }
        if let new = entry.new { withBytes(of: new) { types.writeValue($0, to: &json) } }
        try end()
      }
      count += 1
    }

    private func text(_ name: String, _ entry: Difference.Entry, _ types: Types, _ oldTypes: Types) -> String {
      let place =
        if let item = entry.item {
          "\(item.sequence) (\(item.state.rawValue))"
        } else if let key = entry.key {
          withBytes(of: key) { types.keyText($0, limit: limit) }
        } else {
          entry.position.map { String($0) } ?? ""
        }
      let old = entry.old.map { withBytes(of: $0) { oldTypes.text($0, limit: limit) } }
      let new = entry.new.map { withBytes(of: $0) { types.text($0, limit: limit) } }
      let subject = place.isEmpty ? name : "\(name)  \(place)"
      switch entry.kind {
      case .inserted: return style.good("+ \(subject)  \(new ?? "")")
      case .removed: return style.bad("- \(subject)  \(old ?? "")")
      case .updated: return style.warning("~ \(subject)  \(old.map { "\($0) → " } ?? "")\(new ?? "")")
      }
    }

    /// Sets a line to be printed before the next one; once for each number.
    mutating func announce(_ title: String, _ number: Int) {
      if announced != number { self.title = title }
      announced = number
    }

    /// Prints a line that is not an entry.
    mutating func line(_ text: String) throws {
      if let title { try output.line(title) }
      title = nil
      try output.line(text)
    }
    mutating func line(json: inout JSONWriter) throws { try output.line(&json) }
    mutating func object(_ fields: [Records.Field]) throws {
      Records.write(fields, to: &json)
      try output.line(&json)
    }

    /// Counts a printed entry.
    mutating func note() { count += 1 }

    private mutating func begin(_ name: String, _ snapshot: Int?) throws {
      if format == .json { try output.line(count == 0 ? "[" : ",", ends: false) }
      json.begin("{")
      if let snapshot {
        json.name("snapshot")
        json.number(snapshot)
      }
      json.name("structure")
      json.string(name)
    }

    private mutating func end() throws {
      json.end("}")
      try output.line(&json, ends: format == .jsonl)
    }

    /// Writes buffered output.
    mutating func flush() throws { try output.flush() }

    mutating func finish() throws {
      if format == .json { try output.line(count == 0 ? "[]" : "]") }
      try output.flush()
    }
  }
#endif
