#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct ListStructures: StoreCommand {
    static let configuration = CommandConfiguration(
      commandName: "ls", abstract: "Lists the structures of a store: name, kind, types, count and size.",
      discussion: """
        Lists the databases of a file that another program made. The kind of a structure from a later version, which this \
        version does not understand, is shown as unknown.

        Examples:
          lmdbshare ls team.lmdb
          lmdbshare ls team.lmdb --sort bytes --format csv
        """)

    enum Order: String, CaseIterable, ExpressibleByArgument { case name, kind, count, bytes }

    @OptionGroup var store: StoreArgument
    @Option(help: "name, kind, count or bytes; count and bytes with the largest first.")
    var sort = Order.name
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    private struct Row {
      var description: StructureDescription?
      var name: String
      var kind: String
      var count: Int
      var bytes: Int
      var depth: Int?
    }

    func run() throws {
      let file = try Opened(store, .whenSmall, reading)
      var rows = try file.store.map { try Self.structures(of: $0) } ?? Self.databases(of: file)
      switch sort {
      case .name: break
      case .kind: rows.sort { ($0.kind, $0.name) < ($1.kind, $1.name) }
      case .count: rows.sort { $0.count > $1.count }
      case .bytes: rows.sort { $0.bytes > $1.bytes }
      }
      var records = output.records()
      for row in rows {
        try records.add([
          .init("name", .text(row.name)),
          .init("kind", .text(row.kind)),
          .init("key", .text(row.description?.key)),
          .init("element", .text(row.description?.element)),
          .init("layout", .text(row.description?.layout?.rawValue)),
          .init("count", .number(row.count)),
          .init("bytes", .number(row.bytes), text: Size.text(row.bytes)),
          .init("depth", .number(row.depth)),
        ])
      }
      try records.titles("name", "kind", "key", "element", "layout", "count", "bytes", "depth")
      try records.finish()
    }

    private static func structures(of store: SharedStore) throws -> [Row] {
      let unknown = try store.unknownStructures().map { error in
        Row(name: error.structure ?? "", kind: "unknown", count: 0, bytes: 0)
      }
      return try (known(of: store) + unknown).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static func known(of store: SharedStore) throws -> [Row] {
      let page = store.environment.pageBytes
      return try store.read { txn in
        try txn.structures(of: store).map { description in
          try txn.withContents(of: description, in: store) { contents in
            let tree = contents.storedPages
            let bytes = tree.map { $0.bytes(page) }
            return Row(
              description: description, name: description.name, kind: description.kind.rawValue,
              count: contents.count, bytes: bytes ?? contents.value { $0.byteCount } ?? 0, depth: tree?.depth)
          }
        }
      }
    }

    private static func databases(of file: Opened) throws -> [Row] {
      let page = file.environment.pageBytes
      return try file.databases().map { database in
        let tree = database.tree
        return Row(
          name: database.name ?? Opened.unnamed, kind: "database", count: tree.entries,
          bytes: tree.bytes(page), depth: tree.depth)
      }
    }
  }

  extension TreeStatistics {
    /// The size of its pages in bytes.
    fileprivate func bytes(_ page: Int) -> Int {
      [branchPages, leafPages, overflowPages].boundedSum().bounded(times: page)
    }
  }
#endif
