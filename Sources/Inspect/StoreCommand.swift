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
      completion: Completion.stores)
    var path: String
    @Flag(help: "Checks every page first, however large the file is. Up to 64 MiB that is done anyway.")
    var check = false
    @Option(
      help: ArgumentHelp(
        "The longest wait for other processes, the one that writes above all: 10 (seconds), 500ms, 2m or 1h; 0 for no wait, none for no limit. (default: 10)",
        valueName: "time"))
    var timeout: TimeLimit?

    init() {}
    init(path: String, timeout: TimeLimit?) {
      self.path = path
      self.timeout = timeout
      check = false
    }

    /// How long to wait for other processes.
    var limit: TimeLimit { timeout ?? .usual }

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

    static func isStore(_ path: String) -> Bool {
      FileManager.default.fileExists(atPath: path + "/data.mdb")
    }

    /// When every page is checked before LMDB follows any of them.
    enum PageCheck {
      /// Where all or much of the store is read: in what is damaged, LMDB would die or tell what is not there.
      case always
      /// Where it takes no time that a person would notice.
      case whenSmall
      /// Where it was done a moment ago.
      case never
    }

    /// The largest file of which every page is always checked: that takes 70 ms at most, and 10 ms where values are large.
    static let smallFile = 64 << 20

    func checks(_ pages: PageCheck) -> Bool {
      switch pages {
      case .always: true
      case .never: false
      case .whenSmall: check || fileSize <= StoreArgument.smallFile
      }
    }

    /// The bytes of the data file, or of a single file; 0 when there is none.
    private var fileSize: Int {
      StoreDirectory.fileSize(path) ?? StoreDirectory.fileSize(path + "/" + StoreDirectory.dataFile) ?? 0
    }

    /// Runs `body`, which opens a store; ends the program should it wait inside of LMDB. The check of the pages takes its own time.
    func opening<R>(_ pages: PageCheck, _ body: () throws -> R) rethrows -> R {
      let slowest = 50 << 20
      let checking = Duration.seconds(checks(pages) ? fileSize / slowest : 0)
      return try TimeLimit(limit.duration.map { $0 + checking }).watching("open", path) { _ in try body() }
    }

    /// Opens the store for reading; nothing is made or changed by that, and no lock of writers is needed.
    func forReading(_ pages: PageCheck = .whenSmall) throws -> SharedStore {
      try opening(pages) { try SharedStore(path: path, options: options(.readOnly, pages)) }
    }

    /// Opens the store for changes. It must be there, unless it may be made.
    func forWriting(creating: Bool = false, _ pages: PageCheck = .whenSmall) throws -> SharedStore {
      var options = options(.readWrite, pages)
      options.createIfMissing = creating
      // LMDB remembers the largest map; it stays as the programs that use the store have it.
      options.keepsMapSize = true
      return try opening(pages) { try SharedStore(path: path, options: options) }
    }

    /// Whether there is something at the path.
    var hasDirectory: Bool { FileManager.default.fileExists(atPath: path) }

    /// Opens the store for changes, or makes it; when `body` fails, one that was made for it goes again.
    func creating<R>(_ pages: PageCheck = .whenSmall, _ body: (SharedStore) throws -> R) throws -> R {
      let isThere = StoreArgument.isStore(path)
      let hasDirectory = hasDirectory
      var first: Int?
      do {
        let store = try forWriting(creating: true, pages)
        first = store.environment.lastTransaction
        return try body(store)
      } catch {
        if !isThere, let first {
          StoreDirectory.takeBack(path: path, lastTransaction: first, removingDirectory: !hasDirectory)
        }
        throw error
      }
    }

    /// The store at a path, for what a shell offers while a person types; nil when that takes long.
    static func forCompletion(_ path: String) throws -> SharedStore {
      try StoreArgument(path: path, timeout: TimeLimit(.seconds(1))).forReading()
    }

    /// How a command opens a store.
    func options(_ access: StoreOptions.Access, _ pages: PageCheck) -> StoreOptions {
      var options = StoreOptions()
      options.verification = checks(pages) ? .pages : .meta
      options.access = access
      options.createIfMissing = false
      options.maximumStructures = 32_000
      // A tool that its user started for a moment; `doctor` warns.
      options.allowForeignOwner = true
      options.openingTimeout = limit.duration
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
