#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  /// The condition of a change.
  struct ConditionOption: ParsableArguments {
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp(
        "Apply only if the current value equals VALUE; otherwise exit with status 1.", valueName: "value"))
    var ifEquals: String?

    func condition(_ types: Types) throws -> Change.Condition? {
      try ifEquals.map { .equals(try types.value.encode(argument: $0)) }
    }
  }

  /// Arguments that may start with a minus sign, as numbers do.
  enum Words {
    /// Removes a `--`, after which every argument is a value; before it only a number may start with a minus sign.
    static func check(_ words: inout [String], atMost most: Int = .max) throws {
      let end = words.firstIndex(of: "--")
      for word in words[..<(end ?? words.count)]
      where word.hasPrefix("-") && !["-inf", "-infinity", "-"].contains(word.lowercased()) {
        guard let next = word.dropFirst().first, next.isNumber || next == "." else {
          throw ValidationError(
            "Unknown option '\(Printable.text(word, limit: 100))'; if it is a value, put it after --.")
        }
      }
      if let end { words.remove(at: end) }
      guard words.count <= most else {
        throw ValidationError(
          "'\(Printable.text(words[most], limit: 100))' is one argument too many; put quotes around text with spaces.")
      }
    }
  }

  /// A command that changes one structure: all or nothing.
  protocol ChangeCommand: StoreCommand {
    var name: String { get }
    func changes(_ description: StructureDescription, _ types: Types) throws -> [Change]
  }

  extension ChangeCommand {
    func run() throws {
      let limit = store.limit
      let results = try store.forWriting().write(within: limit) { txn in
        var changer = Changer()
        let structure = try changer.structure(name, txn)
        var results: [String] = []
        for change in try changes(structure.description, Types(structure.description)) {
          if let result = try changer.make(change, of: structure, txn) { results.append(result) }
        }
        return results
      }
      var output = Output()
      for result in results { try output.line(result) }
      try output.flush()
    }
  }

  struct SetEntry: ChangeCommand {
    static let configuration = CommandConfiguration(
      commandName: "set",
      abstract: "Sets a value, an element of a list or array, or the value of a key; adds an element to a set.",
      usage: "lmdbshare set <store> <name> [<key>] <value> [--if-equals <value>] [--if-absent] [--timeout <time>]",
      discussion: """
        The value is of the structure's type: text as it is, dates as 2026-01-31T12:00:00Z or with an offset \
        (2026-01-31T13:00:00+01:00), bytes as text, 0x… or base64:…, numbers, arrays, JSON and other types as JSON; numbers with \
        a fraction also as nan, inf or Infinity. Put a value that starts with -- after a separate --.

        Examples:
          lmdbshare set team.lmdb total 17
          lmdbshare set team.lmdb scores al 3 --if-equals 2
          lmdbshare set team.lmdb names -1 Zoë
          lmdbshare set team.lmdb tags new
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The structure's name.", completion: Completion.structures)
    var name: String
    @Argument(
      parsing: .allUnrecognized,
      help: ArgumentHelp("A key or position (not for a value), followed by the value.", valueName: "key> <value"),
      completion: Completion.keys)
    var words: [String]
    @OptionGroup var condition: ConditionOption
    @Flag(help: "Apply only if the key does not exist.")
    var ifAbsent = false

    mutating func validate() throws {
      try Words.check(&words)
      if words.isEmpty { throw ValidationError("Give a value.") }
      if words.count > 2 { throw ValidationError("Too many arguments; put quotes around text with spaces.") }
      if ifAbsent, condition.ifEquals != nil {
        throw ValidationError("--if-equals and --if-absent cannot be combined.")
      }
    }

    func changes(_ description: StructureDescription, _ types: Types) throws -> [Change] {
      if !types.hasValues, words.count != 1 { throw ValidationError("Give one element.") }
      let place = try Place(words.count == 2 || !types.hasValues ? words[0] : nil, in: description)
      let value = types.hasValues ? try types.value.encode(argument: words[words.count - 1]) : []
      return [Change(action: .set(place, value), condition: ifAbsent ? .absent : try condition.condition(types))]
    }
  }

  struct Append: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Appends elements to a list: all or none.",
      discussion: """
        Examples:
          lmdbshare append team.lmdb names "Ada Lovelace"
          lmdbshare append team.lmdb numbers 1 2 3
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The list's name.", completion: Completion.structures)
    var name: String
    @Argument(parsing: .allUnrecognized, help: ArgumentHelp("The elements.", valueName: "value"))
    var words: [String]

    mutating func validate() throws {
      try Words.check(&words)
      if words.isEmpty { throw ValidationError("Give a value.") }
    }

    func changes(_ description: StructureDescription, _ types: Types) throws -> [Change] {
      try words.map { Change(action: .append(try types.value.encode(argument: $0))) }
    }
  }

  struct Insert: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Inserts elements into a list before a position: all or none.",
      usage: "lmdbshare insert <store> <name> <position> <value> ... [--timeout <time>]",
      discussion: "Example:\n  lmdbshare insert team.lmdb names 0 Ada")

    @OptionGroup var store: StoreArgument
    @Argument(help: "The list's name.", completion: Completion.structures)
    var name: String
    @Argument(
      parsing: .allUnrecognized,
      help: ArgumentHelp(
        "The position, from 0, or -1 for before the last element; then the elements.", valueName: "position> <value"))
    var words: [String]

    mutating func validate() throws {
      try Words.check(&words)
      if words.count < 2 || Int(words[0]) == nil { throw ValidationError("Give a position and a value.") }
    }

    func changes(_ description: StructureDescription, _ types: Types) throws -> [Change] {
      let position = Int(words[0]) ?? 0
      // A position from the end advances by itself.
      return try words.dropFirst().enumerated().map { index, word in
        Change(action: .insert(try types.value.encode(argument: word), at: position < 0 ? position : position + index))
      }
    }
  }

  struct Increment: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Adds to numbers, and prints the results; a missing key starts with 0.",
      discussion: """
        A sum that does not fit the type is an error; of several numbers, all are changed or none.

        Examples:
          lmdbshare increment team.lmdb total
          lmdbshare increment team.lmdb scores al --by -2
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The structure's name.", completion: Completion.structures)
    var name: String
    @Argument(
      parsing: .allUnrecognized,
      help: ArgumentHelp("Keys or positions (not for a value).", valueName: "key"), completion: Completion.keys)
    var words: [String] = []
    @Option(parsing: .unconditional, help: ArgumentHelp("The number to add.", valueName: "number"))
    var by = "1"
    @OptionGroup var condition: ConditionOption

    mutating func validate() throws { try Words.check(&words) }

    func changes(_ description: StructureDescription, _ types: Types) throws -> [Change] {
      let condition = try condition.condition(types)
      return try Place.all(words, in: description).map { Change(action: .increment($0, by: by), condition: condition) }
    }
  }

  struct Delete: ChangeCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes elements of a list, or keys: all or none.",
      discussion: """
        Positions refer to the list before the removal.

        Examples:
          lmdbshare delete team.lmdb names 0
          lmdbshare delete team.lmdb scores al bo
          lmdbshare delete team.lmdb scores al --if-equals 0
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The structure's name.", completion: Completion.structures)
    var name: String
    @Argument(
      parsing: .allUnrecognized, help: ArgumentHelp("Keys or positions.", valueName: "key"),
      completion: Completion.keys)
    var words: [String]
    @OptionGroup var condition: ConditionOption

    mutating func validate() throws {
      try Words.check(&words)
      if words.isEmpty { throw ValidationError("Give a key or a position.") }
    }

    func changes(_ description: StructureDescription, _ types: Types) throws -> [Change] {
      [Change(action: .delete(try Place.all(words, in: description)), condition: try condition.condition(types))]
    }
  }

  struct Apply: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Applies changes from standard input in one transaction: all or none.",
      discussion: """
        Each line is a JSON object. "op" is set, append, insert, increment, delete, push or clear; "name" the structure; \
        "key" or "position" the place; "value" the value as show --format jsonl prints it; "by" what an increment adds; \
        "priority" and "delay" (seconds) are for push. If a condition, "ifEquals": VALUE or "ifAbsent": true, is not met, \
        nothing is changed.

        Example:
          printf '%s\\n' '{"op":"set","name":"scores","key":"al","value":3,"ifEquals":2}' \\
            '{"op":"append","name":"names","value":"Zoë"}' | lmdbshare apply team.lmdb
        """)

    @OptionGroup var store: StoreArgument

    func run() throws {
      let limit = store.limit
      let store = try store.forWriting()
      var lines = Lines(.input)
      var changes: [(number: Int, line: ChangeLine)] = []
      // Reads all input first, so that slow input does not make others wait for the writer's lock.
      while let line = try lines.next() {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
        changes.append((lines.number, try at(lines.number) { try ChangeLine(line) }))
      }
      let made = changes
      try store.write(within: limit) { txn in
        var changer = Changer()
        for (number, line) in made {
          try at(number) {
            let structure = try changer.structure(line.name, txn)
            try changer.make(line.change(of: structure.description), of: structure, txn)
          }
        }
      }
      var output = Output()
      try output.line(counted(made.count, "change"))
      try output.flush()
    }

    /// Adds the line's number to an error.
    private func at<R>(_ line: Int, _ body: () throws -> R) throws -> R {
      do {
        return try body()
      } catch let error as Problem {
        let isTold = error.description.hasPrefix("nothing was changed")
        throw Problem("line \(line): \(error.description)\(isTold ? "" : "; nothing was changed")", error.status)
      } catch let error as StoreError {
        throw Problem(
          "line \(line): \(error.description); nothing was changed", Status(error.code))
      } catch {
        throw Problem("line \(line): \(error); nothing was changed")
      }
    }
  }
#endif
