#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Dump: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes a store, or some of its structures, as text that load reads.",
      discussion: """
        The dump is one snapshot. jsonl, the default format, writes every value according to its type, without loss; csv is for \
        one structure and other programs; mdb is the format of mdb_dump, also for files of other programs.

        Examples:
          lmdbshare dump team.lmdb > team.jsonl
          lmdbshare dump team.lmdb names scores | ssh other lmdbshare load team.lmdb --merge
          lmdbshare dump team.lmdb scores --format csv
        """)

    enum Format: String, CaseIterable, ExpressibleByArgument { case jsonl, csv, mdb }

    @OptionGroup var store: StoreArgument
    @Argument(help: "The structures; all if omitted.", completion: Completion.structures)
    var names: [String] = []
    @Option(help: "jsonl, csv or mdb.")
    var format = Format.jsonl
    @OptionGroup var reading: ReadingOption

    func run() throws {
      let file = try Opened(store, .always, reading)
      switch format {
      case .mdb: try dumpDatabases(file)
      case .csv: try dumpTable(file)
      case .jsonl:
        let store = try ours(file)
        try store.read { txn in
          let structures =
            try names.isEmpty
            ? txn.structures(of: store)
            : names.map { name in
              guard let found = try txn.description(of: name, in: store) else { throw StoreError.notFound(name) }
              return found
            }
          var dumper = Dumper(Output(), store)
          try dumper.dump(structures, txn)
        }
        if names.isEmpty { try Self.report(try store.unknownStructures()) }
      }
    }

    /// An incomplete dump is reported as a failure.
    private static func report(_ unknown: [StoreError]) throws {
      guard !unknown.isEmpty else { return }
      for error in unknown { Failure.say("left out: " + error.description) }
      throw Problem(
        "the dump is without \(counted(unknown.count, "structure")) that this version does not understand")
    }

    private func ours(_ file: Opened) throws -> SharedStore {
      guard let store = file.store else {
        throw Problem("\(Printable.text(store.path)) is a file that another program made; dump it with --format mdb")
      }
      return store
    }

    private func dumpTable(_ file: Opened) throws {
      guard names.count == 1 else { throw ValidationError("csv is for one structure: name it.") }
      let store = try ours(file)
      let structure = try store.untyped(names[0])
      let types = Types(structure.description)
      var printer = EntryPrinter(.csv, Style(isColoured: false))
      printer.kind = structure.description.kind
      try store.read { txn in
        // Against nothing, the differences are the whole contents.
        try Difference.walk(from: nil, to: txn.contents(structure)) { entry in
          let place = ListedEntry(position: entry.position ?? 0, item: entry.item)
          try withBytes(of: entry.new ?? []) { value in
            guard let key = entry.key else { return try printer.print(types, place, nil, value) }
            try withBytes(of: key) { try printer.print(types, place, $0, value) }
          }
        }
      }
      try printer.finish()
    }

    private func dumpDatabases(_ file: Opened) throws {
      var databases = try file.databases()
      let all = Set(databases.compactMap(\.name))
      let names = self.names.map { Opened.isUnnamed($0, in: databases) ? "" : $0 }
      for name in names where !databases.contains(where: { ($0.name ?? "") == name }) {
        throw Problem("there is no database '\(Printable.text(name))'; ls lists them", .notFound)
      }
      if !names.isEmpty { databases.removeAll { !names.contains($0.name ?? "") } }
      var output = Output()
      try Mdb.dump(databases, named: all, file, to: &output)
    }
  }

  struct Load: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Loads a dump from standard input in one transaction: all or nothing.",
      discussion: """
        Creates the store if it does not exist. A structure that exists already is an error, unless --merge or --replace is \
        given. Other writers wait meanwhile. Leased items of queues become available immediately; delayed ones keep their time.

        Examples:
          lmdbshare load copy.lmdb < team.jsonl
          lmdbshare dump team.lmdb scores | lmdbshare load copy.lmdb --replace
          mdb_dump -a other.lmdb | lmdbshare load new.lmdb --format mdb
        """)

    enum Format: String, CaseIterable, ExpressibleByArgument { case jsonl, mdb }

    @OptionGroup var store: StoreArgument
    @Flag(help: "Merge into existing structures: set keys and values, append elements, push items.")
    var merge = false
    @Flag(help: "Replace existing structures of the same name.")
    var replace = false
    @Option(help: "jsonl, or mdb as mdb_dump writes it, into a new directory.")
    var format = Format.jsonl

    func validate() throws {
      if merge, replace { throw ValidationError("--merge and --replace cannot be combined.") }
      if format == .mdb, merge || replace { throw ValidationError("mdb is only for new directories.") }
    }

    func run() throws {
      var result = Output()
      switch format {
      case .mdb:
        let counts = try loadDatabases()
        try result.line("\(counted(counts.databases, "database")), \(counted(counts.entries, "entry"))")
      case .jsonl:
        var loader = Loader(
          Lines(.input), existing: merge ? .merge : replace ? .replace : .refuse, size: Stream.input.fileSize)
        try loader.begin()
        let limit = store.limit
        try store.creating(.always) { store in
          try store.write(within: limit) { txn in try loader.load(into: txn) }
        }
        try result.line("\(counted(loader.structures, "structure")), \(counted(loader.entries, "entry"))")
      }
      try result.flush()
    }

    private func loadDatabases() throws -> (databases: Int, entries: Int) {
      var options = EnvironmentOptions()
      let hasDirectory = store.hasDirectory
      // When asked to end, it first removes what it has created.
      ChildProcess.catchSignals()
      let directory = try store.opening { try StoreDirectory(path: store.path, create: true, allowNetwork: false) }
      guard try !directory.hasData() else {
        throw Problem("there is a store at \(Printable.text(store.path)) already; give a new directory")
      }
      options.maximumStructures = 32_000
      options.openingTimeout = store.limit.duration
      let environment: Environment
      do {
        environment = try store.opening {
          try Environment.open(path: store.path, options: options) { (_) throws(StoreError) in }
        }
      } catch {
        directory.undoMaking()
        throw error
      }
      let first = environment.lastTransaction
      do {
        defer { environment.close() }
        try Interrupted.check()
        return try Mdb.load(.input, into: environment, within: store.limit)
      } catch {
        // The store was created for this load; it stays if another process has written to it.
        StoreDirectory.takeBack(path: store.path, lastTransaction: first, removingDirectory: !hasDirectory)
        throw error
      }
    }
  }
#endif
