#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Show: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the contents of a structure, typed.",
      usage: """
        lmdbshare show <store> [<name>] [--head <count>] [--tail <count>] [--range <range>] [--prefix <text>] [--reverse] \
        [--keys] [--values] [--raw] [--full] [--unlocked] [--format <format>] [--timeout <time>]
        """,
      discussion: """
        The output is one snapshot, however long it takes, and does not block writers. Positions are those of a list or array, \
        or count entries and items. For a file that another program made, and with --raw, keys and values are shown as bytes.

        Examples:
          lmdbshare show team.lmdb names --tail 10
          lmdbshare show team.lmdb scores --prefix al --keys
          lmdbshare show team.lmdb samples --range '100..<200' --format csv
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The structure's name.", completion: Completion.structures)
    var name: String?
    @OptionGroup var selection: Selection
    @Flag(help: "Show keys and values of a database as bytes; without a name, of the unnamed one.")
    var raw = false
    @Flag(help: "Show long values completely; the default for text is the first 1,000 bytes.")
    var full = false
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    func validate() throws { try selection.validate(raw: raw) }

    func run() throws {
      let file = try Opened(store, .whenSmall, reading)
      var printer = EntryPrinter(
        output, keys: selection.keys, values: selection.values, limit: full || output.format != .text ? .max : 1000)
      guard let store = file.store, !raw else {
        try showRaw(file, &printer)
        return try printer.finish()
      }
      guard let name else { throw ValidationError("Name a structure; ls lists them.") }
      let structure = try store.untyped(name)
      let types = Types(structure.description)
      printer.kind = structure.description.kind
      try store.read { txn in
        try selection.walk(txn.contents(structure)) { entry, key, value in
          try printer.print(types, entry, key, value)
        }
        try printer.finish()
      }
    }

    private func showRaw(_ file: Opened, _ printer: inout EntryPrinter) throws {
      let databases = try file.databases()
      let name = name.flatMap { Opened.isUnnamed($0, in: databases) ? nil : $0 }
      try file.reading { core in
        func show(_ number: Database) throws {
          let total = core.statistics(number).entries
          let cursor = Cursor(core, number)
          let positions = selection.positions(of: total)
          var position = selection.reverse ? total - 1 : 0
          var isThere = cursor.move(selection.reverse ? .last : .first)
          while isThere {
            if positions.contains(position) { try printer.print(raw: cursor.key, cursor.value) }
            position += selection.reverse ? -1 : 1
            isThere = cursor.move(selection.reverse ? .previous : .next)
          }
        }
        guard let name else { return try show(Database.main) }
        guard try core.withDatabase(name, show) != nil else {
          throw Problem("there is no database '\(Printable.text(name))'; ls lists them", .notFound)
        }
      }
    }
  }

  struct Get: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints values, elements or entries.",
      discussion: """
        Without a key it prints a value. For a list or array, the key is a position, and -1 is the last one. Several keys are \
        read from one snapshot, in their order. If a key does not exist, exits with status 3 and prints nothing. For a file that \
        another program made, the name is that of a database; if there is no database of that name, it is a key of the unnamed \
        database, as are all keys after it.

        Examples:
          lmdbshare get team.lmdb total
          lmdbshare get team.lmdb scores al
          lmdbshare get team.lmdb scores al bo --format csv
          lmdbshare get team.lmdb names -1
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The structure's name.", completion: Completion.structures)
    var name: String
    @Argument(
      parsing: .allUnrecognized, help: ArgumentHelp("Keys, or positions.", valueName: "key"),
      completion: Completion.keys)
    var words: [String] = []
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    mutating func validate() throws { try Words.check(&words) }

    func run() throws {
      let file = try Opened(store, .whenSmall, reading)
      guard let store = file.store else { return try getRaw(file) }
      let structure = try store.untyped(name)
      let places = try Place.all(words, in: structure.description)
      try store.read { txn in
        let contents = txn.contents(structure)
        let values = try places.map { place in
          guard let bytes = try place.bytes(in: contents) else { throw place.missing(in: structure.description) }
          return bytes
        }
        let types = Types(structure.description)
        if values.count == 1 { return try printOne(values[0], types) }
        var printer = EntryPrinter(output, values: output.format == .text)
        for (place, value) in zip(places, values) {
          try withBytes(of: value) { value in
            guard case .key(let key, _) = place else { return try printer.print(types, .init(position: 0), nil, value) }
            try withBytes(of: key) { try printer.print(types, .init(position: 0), $0, value) }
          }
        }
        try printer.finish()
      }
    }

    /// Reads a file of another program: the values of keys of a database, or of the unnamed one when the name is not a database.
    private func getRaw(_ file: Opened) throws {
      let databases = try file.databases()
      let isNamed = databases.contains { $0.name == name }
      let isMeant = isNamed || name == Opened.unnamed
      guard !isMeant || !words.isEmpty else {
        throw ValidationError("'\(Printable.text(name))' is a database: give a key; show prints all of it.")
      }
      let keys = try (isMeant ? words : [name] + words).map { (try BytesRepresentation().encode(argument: $0), $0) }
      let values = try file.reading { core in
        func look(_ number: Database) throws -> [[UInt8]] {
          try keys.map { key, text in
            let value = withBytes(of: key) { key in core.get(number, key)?.copied() }
            guard let value else {
              let asName = !isMeant && text == name ? ", and no database of that name" : ""
              throw Problem("there is no key \(Printable.text(text, limit: 200))\(asName)", .notFound)
            }
            return value
          }
        }
        if !isNamed { return try look(Database.main) }
        guard let values = try core.withDatabase(name, look) else {
          throw Problem("there is no database '\(Printable.text(name))'; ls lists them", .notFound)
        }
        return values
      }
      let types = Types(StructureDescription(name, .dictionary, key: "bytes", element: "bytes"))
      if values.count == 1 { return try printOne(values[0], types) }
      var printer = EntryPrinter(output, values: output.format == .text)
      for (key, value) in zip(keys, values) {
        try withBytes(of: key.0) { key in
          try withBytes(of: value) { try printer.print(types, .init(position: 0), key, $0) }
        }
      }
      try printer.finish()
    }

    private func printOne(_ bytes: [UInt8], _ types: Types) throws {
      var lines = Output()
      switch output.format {
      case .text: try lines.line(withBytes(of: bytes) { types.text($0) })
      case .csv: try lines.line("value\n" + CSV.field(withBytes(of: bytes) { types.table($0) }))
      case .json, .jsonl:
        var json = JSONWriter()
        json.begin("{")
        withBytes(of: bytes) { types.writeValue($0, to: &json) }
        json.end("}")
        try lines.line(&json)
      }
      try lines.flush()
    }
  }
#endif
