#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Create: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Creates a structure, and the store if it does not exist.",
      discussion: """
        Types are named as ls shows them: \(Representations.forms).

        Examples:
          lmdbshare create team.lmdb list names string --maximum 1000
          lmdbshare create team.lmdb dictionary scores string i64
          lmdbshare create team.lmdb set tags string
          lmdbshare create team.lmdb array samples i32 --count 1024
          lmdbshare create team.lmdb value total i64 --initial 0
          lmdbshare create team.lmdb queue jobs 'cbor(Job)' --attempts 3
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: ArgumentHelp(CreatableKind.choice, valueName: "kind"))
    var creatable: CreatableKind
    @Argument(help: "The new structure's name.")
    var name: String
    @Argument(help: ArgumentHelp("The type; for a dictionary, the types of keys and values.", valueName: "type"))
    var types: [String]
    @Option(help: ArgumentHelp("The number of elements of an array.", valueName: "count"))
    var count: Int?
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp("The initial value, or that of an array's elements.", valueName: "value"))
    var initial: String?
    @Option(help: ArgumentHelp("The maximum number of elements of a list, or items of a queue.", valueName: "count"))
    var maximum: Int?
    @Option(help: ArgumentHelp("The maximum number of attempts for an item of a queue.", valueName: "count"))
    var attempts: Int?

    private var kind: StructureDescription.Kind { creatable.kind }

    func validate() throws {
      let wanted = kind.shape == .map && kind.hasValues ? 2 : 1
      guard types.count == wanted else {
        throw ValidationError(
          "A \(kind.rawValue) needs \(wanted == 1 ? "one type" : "two types, of keys and of values").")
      }
      if kind == .array, count == nil { throw ValidationError("An array needs --count.") }
      if kind != .array, count != nil { throw ValidationError("--count is for arrays.") }
      if kind == .value, initial == nil { throw ValidationError("A value needs --initial.") }
      if kind != .value, kind != .array, initial != nil { throw ValidationError("--initial is for values and arrays.") }
      if maximum != nil, kind != .list, kind != .queue { throw ValidationError("--maximum is for lists and queues.") }
      if attempts != nil, kind != .queue { throw ValidationError("--attempts is for queues.") }
      for number in [maximum, attempts].compactMap({ $0 }) where number < 1 {
        throw ValidationError("\(number) is too small: give 1 or more.")
      }
      if let count, !(0...1 << 40 ~= count) { throw ValidationError("\(count) is not a number of elements.") }
    }

    func run() throws {
      let known = try types.map { type in
        guard let known = Representations.known(type) else {
          throw ValidationError(
            "'\(Printable.text(type, limit: 100))' is not a known type; the types are \(Representations.forms).")
        }
        return known
      }
      let element = types[types.count - 1]
      let representation = known[types.count - 1]
      if kind.shape == .map, !known[0].isKey {
        throw ValidationError("'\(Printable.text(types[0], limit: 100))' cannot be the type of keys.")
      }
      if kind == .array, representation.fixedSize == nil {
        throw ValidationError("'\(Printable.text(element, limit: 100))' has no fixed size, which an array needs.")
      }
      var description = StructureDescription(
        name, kind,
        layout: kind.shape == .sequence || kind.shape == .queue
          ? (kind.shape == .queue || representation.fixedSize != nil ? .packed : .slotted) : nil,
        key: kind.shape == .map ? types[0] : nil, element: kind.hasValues ? element : "nothing", count: count,
        maximumCount: maximum)
      description.maximumAttempts = attempts
      if kind.shape == .sequence { description.elementSize = representation.fixedSize }
      let bytes = try initial.map { try representation.encode(argument: $0) }
      let made = description
      let limit = store.limit
      try store.creating { store in
        try store.write(within: limit) { txn in _ = try txn.create(made, initial: bytes) }
      }
    }
  }

  /// Asks before data is lost.
  struct Confirmation: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Do not ask for confirmation. Required without a terminal.")
    var yes = false

    func ask(_ question: String) throws {
      if yes { return }
      guard Stream.input.isTerminal, Stream.errors.isTerminal else {
        throw ValidationError("\(question): add --yes, since there is no terminal to ask on.")
      }
      _ = Stream.errors.write(Array("\(question)? [y/N] ".utf8))
      let answer = try String(decoding: Stream.input.read(256), as: UTF8.self)
      guard ["y", "yes"].contains(answer.lowercased().filter { !$0.isWhitespace }) else {
        throw Problem("nothing was changed")
      }
    }
  }

  /// A structure that is about to lose its contents, and the question before that.
  struct LosingStructure: ParsableArguments {
    @Argument(help: "The structure's name.", completion: Completion.structures)
    var name: String
    @OptionGroup var confirmation: Confirmation

    /// Finds the structure and asks.
    func confirm(in store: SharedStore, _ question: (_ title: String, _ count: Int) -> String) throws
      -> UntypedStructure
    {
      let structure = try store.untyped(name)
      let count = try store.read { $0.contents(structure).count }
      try confirmation.ask(question("\(structure.description.kind.rawValue) '\(Printable.text(name))'", count))
      return structure
    }
  }

  struct Drop: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes a structure and its contents.",
      discussion: "Example:\n  lmdbshare drop team.lmdb names --yes")

    @OptionGroup var store: StoreArgument
    @OptionGroup var structure: LosingStructure

    func run() throws {
      let limit = store.limit
      let store = try store.forWriting()
      _ = try structure.confirm(in: store) { title, count in "Remove \(title) with \(counted(count, "entry"))" }
      guard try store.write(within: limit, { txn in try txn.remove(structure.name) }) else {
        throw Problem("there is no structure '\(Printable.text(structure.name))' any more", .notFound)
      }
    }
  }

  struct Rename: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Renames a structure; programs that have it open must open it again.",
      discussion: "Example:\n  lmdbshare rename team.lmdb names people")

    @OptionGroup var store: StoreArgument
    @Argument(help: "The structure's name.", completion: Completion.structures)
    var name: String
    @Argument(help: "The new name.")
    var newName: String

    func run() throws {
      try store.forWriting().write(within: store.limit) { txn in try txn.rename(name, to: newName) }
    }
  }

  struct Clear: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes all elements, entries or items of a list, dictionary or queue.",
      discussion: "Example:\n  lmdbshare clear team.lmdb scores --yes")

    @OptionGroup var store: StoreArgument
    @OptionGroup var structure: LosingStructure

    func run() throws {
      let limit = store.limit
      let store = try store.forWriting()
      let structure = try structure.confirm(in: store) { title, count in
        "Remove \(count == 1 ? "the one entry" : "all \(count) entries") of \(title)"
      }
      try store.write(within: limit) { txn in _ = try Changer().make(Change(action: .clear), of: structure, txn) }
    }
  }
#endif

/// A kind of structure that can be created by a command; the others are internal to the programs that use them.
struct CreatableKind: ExpressibleByArgument, Sendable {
  let kind: StructureDescription.Kind

  init?(argument: String) {
    guard Self.allValueStrings.contains(argument), let kind = StructureDescription.Kind(rawValue: argument) else {
      return nil
    }
    self.kind = kind
  }

  static var allValueStrings: [String] {
    StructureDescription.Kind.allCases.filter { $0 == .value || $0.shape != .cell }.map(\.rawValue)
  }

  static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }

  /// The kinds, for the help text.
  static var choice: String {
    "\(allValueStrings.dropLast().joined(separator: ", ")) or \(allValueStrings.last ?? "")."
  }
}
