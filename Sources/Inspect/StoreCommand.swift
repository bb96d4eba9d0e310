#if CommandLineTools
  import ArgumentParser
  import LMDBShare

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// A command about one store, whose directory comes first.
  protocol StoreCommand: ParsableCommand {
    var store: StoreArgument { get }
  }

  struct StoreArgument: ParsableArguments {
    @Argument(
      help: ArgumentHelp("The store's directory; LMDBSHARE_STORE when it is left out.", valueName: "store"),
      completion: .directory)
    var path: String

    init() {}
    init(path: String) { self.path = path }

    private static let variable = "LMDBSHARE_STORE"

    /// Parses the arguments of the program; puts the store of the environment where one is left out.
    static func parse(_ arguments: [String]) throws -> any ParsableCommand {
      guard !ProgramArguments.isNoText(variable: variable) else {
        throw ValidationError("\(variable) is not UTF-8.")
      }
      let asGiven = Result { try Inspect.parseAsRoot(arguments) }
      guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty, let name = arguments.first,
        !name.hasPrefix("-")
      else { return try asGiven.get() }
      if case .success(let command) = asGiven {
        guard let command = command as? any StoreCommand, !isStore(command.store.path) else { return command }
      }
      let filledIn = Result { try Inspect.parseAsRoot([name, path] + arguments.dropFirst()) }
      if case .success(let command) = filledIn, command is any StoreCommand { return command }
      return try asGiven.get()
    }

    private static func isStore(_ path: String) -> Bool {
      FileManager.default.fileExists(atPath: path + "/data.mdb")
    }

    /// Opens the store for reading; nothing is made or changed by that.
    func forReading() throws -> SharedStore { try SharedStore(path: path, options: StoreArgument.options(.readOnly)) }

    /// Opens the store for changes. It must be there, unless it may be made.
    func forWriting(creating: Bool = false) throws -> SharedStore {
      var options = StoreArgument.options(.readWrite)
      options.createIfMissing = creating
      if !creating || StoreArgument.isStore(path) { options.maximumSize = try mapSize() }
      return try SharedStore(path: path, options: options)
    }

    /// A look at the store before it is changed: what is none gets no files of ours, and the map stays as large as the programs
    /// that use the store have it, since LMDB remembers the largest.
    private func mapSize() throws -> Int {
      let size = try forReading().environment.directory.storedMapSize()
      return min(max(size, 1 << 16), 1 << 46)
    }

    static func options(_ access: StoreOptions.Access) -> StoreOptions {
      var options = StoreOptions()
      options.access = access
      options.createIfMissing = false
      options.maximumStructures = 32_000
      // A tool that its user started for a moment; `doctor` warns.
      options.allowForeignOwner = true
      return options
    }
  }

  /// How a command that reads prints what it found.
  struct FormatOption: ParsableArguments {
    @Option(help: ArgumentHelp("text, json (one document), jsonl (an object a line) or csv."))
    var format = Format.text

    var style: Style { format == .text ? FormatOption.terminalStyle : Style(isColoured: false) }

    /// Colours on a terminal, and never under `NO_COLOR`.
    static var terminalStyle: Style {
      Style(
        isColoured: Stream.output.isTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
          && ProcessInfo.processInfo.environment["TERM"] != "dumb")
    }

    func records() -> Records { Records(format, style) }
  }
#endif
