#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// A command on one store, whose directory is the first argument.
  protocol StoreCommand: ParsableCommand {
    var store: StoreArgument { get }
  }

  struct StoreArgument: ParsableArguments {
    @Argument(
      help: ArgumentHelp("The store's directory; default: LMDBSHARE_STORE.", valueName: "store"),
      completion: Completion.stores)
    var path: String
    @Flag(help: "Check every page first. Files up to 64 MiB are always checked.")
    var check = false
    @Option(
      help: ArgumentHelp(
        "The longest wait for other processes, such as a writer: 10 (seconds), 500ms, 2m or 1h; 0 for no wait, none for no limit. (default: 10)",
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

    /// Parses the program's arguments; inserts the store of the environment if one is omitted.
    static func parse(_ arguments: [String]) throws -> any ParsableCommand {
      guard !ProgramArguments.isNoText(variable: variable) else {
        throw ValidationError("\(variable) is not UTF-8.")
      }
      let asGiven = Result { try Inspect.parseAsRoot(arguments) }
      guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty, let name = arguments.first,
        takesStore(name)
      else { return try asGiven.get() }
      if case .success(let command) = asGiven {
        guard let command = command as? any StoreCommand, !isStore(command.store.path) else { return command }
      }
      let filledIn = Result { try Inspect.parseAsRoot([name, path] + arguments.dropFirst()) }
      let first = arguments.dropFirst().first { !$0.hasPrefix("-") }
      switch (asGiven, filledIn) {
      // If a store was given, only this command treats the following word as another store.
      case (_, .success(let command as any StoreCommand))
      where (try? asGiven.get()) != nil || command is Diff || !(first.map(isStore) ?? false):
        return command
      // A store was omitted, so that the words have other meanings.
      case (.failure, .failure(let error)) where !(first.map(isPath) ?? false): throw error
      default: return try asGiven.get()
      }
    }

    /// Whether there is a command of this name on a store.
    private static func takesStore(_ name: String) -> Bool {
      Inspect.configuration.groupedSubcommands.flatMap(\.subcommands).contains {
        $0 is any StoreCommand.Type && $0._commandName == name
      }
    }

    /// Whether a word is meant as a path: it exists, or it names a directory.
    private static func isPath(_ word: String) -> Bool {
      word.contains("/") || FileManager.default.fileExists(atPath: word)
    }

    static func isStore(_ path: String) -> Bool {
      FileManager.default.fileExists(atPath: path + "/data.mdb")
    }

    /// When every page is checked before LMDB follows any of them.
    enum PageCheck {
      /// For commands that read all or much of the store: with damaged pages, LMDB would crash or return wrong data.
      case always
      /// If the check takes no noticeable time.
      case whenSmall
      /// If the pages have just been checked.
      case never
    }

    /// The largest file of which every page is always checked: that takes at most 70 ms, and 10 ms with large values.
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

    /// Runs `body`, which opens a store; ends the program if it waits inside LMDB for too long.
    func opening<R>(_ body: () throws -> R) throws -> R {
      do {
        return try limit.watching("open", path) { _ in try body() }
      } catch let error as StoreError where error.code == .wrongFileKind {
        throw singleFile ?? error
      }
    }

    /// The error when a single file is in the place of a store's directory; nil when it is not an LMDB file.
    private var singleFile: Problem? {
      guard let file = try? StoreDirectory(path: path, create: false, allowNetwork: true, mayBeFile: true), file.isFile,
        (try? file.inspectData()) != nil
      else { return nil }
      return Problem(
        "\(Printable.text(path)) is a single file of another program that uses LMDB, and this command is for the "
          + "directories of lmdbshare; info, ls, show, get, diff, dump --format mdb, readers, doctor and backup work on it"
      )
    }

    /// Opens the store for reading; this creates and changes nothing, and needs no lock for writing.
    func forReading(_ pages: PageCheck = .whenSmall, _ reading: ReadingOption = .locked) throws -> SharedStore {
      try opening { try SharedStore(path: path, options: options(reading.access, pages)) }
    }

    /// Opens the store for changes. It must exist, unless it may be created.
    func forWriting(creating: Bool = false, _ pages: PageCheck = .whenSmall) throws -> SharedStore {
      var options = options(.readWrite, pages)
      options.createIfMissing = creating
      // LMDB remembers the largest map; it stays as set by the programs that use the store.
      options.keepsMapSize = true
      return try opening { try SharedStore(path: path, options: options) }
    }

    /// Whether there is a file or directory at the path.
    var hasDirectory: Bool { FileManager.default.fileExists(atPath: path) }

    /// Opens the store for changes, or creates it. When `body` fails, or the tool is interrupted, a store that was created for it
    /// is removed.
    func creating<R>(_ pages: PageCheck = .whenSmall, _ body: (SharedStore) throws -> R) throws -> R {
      let isThere = StoreArgument.isStore(path)
      let hasDirectory = hasDirectory
      var first: Int?
      // When asked to end, it first removes what it has created. For an existing store there is nothing to remove.
      if !isThere { ChildProcess.catchSignals() }
      do {
        let store = try forWriting(creating: true, pages)
        first = store.environment.lastTransaction
        try Interrupted.check()
        return try body(store)
      } catch {
        if !isThere, let first {
          StoreDirectory.takeBack(path: path, lastTransaction: first, removingDirectory: !hasDirectory)
        }
        throw error
      }
    }

    /// The store at a path, for completions while a person types; throws when opening takes long.
    static func forCompletion(_ path: String) throws -> SharedStore {
      try StoreArgument(path: path, timeout: TimeLimit(.seconds(1))).forReading()
    }

    /// The options with which a command opens a store.
    func options(_ access: StoreOptions.Access, _ pages: PageCheck) -> StoreOptions {
      var options = StoreOptions()
      options.verification = checks(pages) ? .pages : .meta
      options.access = access
      options.createIfMissing = false
      options.maximumStructures = 32_000
      // A user starts this tool for a short time; `doctor` warns.
      options.allowForeignOwner = true
      options.openingTimeout = limit.duration
      return options
    }
  }

  /// How a command that only reads opens a store.
  struct ReadingOption: ParsableArguments {
    @Flag(
      help: ArgumentHelp(
        """
        Read without registering in lock.mdb, if that is not writable. Only safe while no process writes to the store: otherwise \
        the output may be wrong, or a signal may end the tool.
        """
      ))
    var unlocked = false

    init() {}
    init(unlocked: Bool) { self.unlocked = unlocked }

    /// Registered in `lock.mdb`.
    static var locked: ReadingOption { ReadingOption(unlocked: false) }

    var access: StoreOptions.Access { unlocked ? .readOnlyUnlocked : .readOnly }
  }

  /// The output format of a command that reads.
  struct FormatOption: ParsableArguments {
    @Option(help: ArgumentHelp("text, json (one document), jsonl (one object per line) or csv."))
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
