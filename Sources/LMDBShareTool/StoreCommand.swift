#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

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
        takesStore(name)
      else { return try asGiven.get() }
      if case .success(let command) = asGiven {
        guard let command = command as? any StoreCommand, !isStore(command.store.path) else { return command }
      }
      let filledIn = Result { try Inspect.parseAsRoot([name, path] + arguments.dropFirst()) }
      let first = arguments.dropFirst().first { !$0.hasPrefix("-") }
      switch (asGiven, filledIn) {
      // What follows a store of its own is another one for this command alone.
      case (_, .success(let command as any StoreCommand))
      where (try? asGiven.get()) != nil || command is Diff || !(first.map(isStore) ?? false):
        return command
      // A store was left out, so that without it the words have other meanings.
      case (.failure, .failure(let error)) where !(first.map(isPath) ?? false): throw error
      default: return try asGiven.get()
      }
    }

    /// Whether there is a command of this name about a store.
    private static func takesStore(_ name: String) -> Bool {
      Inspect.configuration.groupedSubcommands.flatMap(\.subcommands).contains {
        $0 is any StoreCommand.Type && $0._commandName == name
      }
    }

    /// Whether a word is meant as a path: there is something, or it names a directory.
    private static func isPath(_ word: String) -> Bool {
      word.contains("/") || FileManager.default.fileExists(atPath: word)
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

    /// Runs `body`, which opens a store; ends the program should it wait inside of LMDB.
    func opening<R>(_ body: () throws -> R) throws -> R {
      do {
        return try limit.watching("open", path) { _ in try body() }
      } catch let error as StoreError where error.code == .wrongFileKind {
        throw singleFile ?? error
      }
    }

    /// What is wrong when a single file stands in the place of a store's directory; nil when it is no file of LMDB.
    private var singleFile: Problem? {
      guard let file = try? StoreDirectory(path: path, create: false, allowNetwork: true, mayBeFile: true), file.isFile,
        (try? file.inspectData()) != nil
      else { return nil }
      return Problem(
        "\(Printable.text(path)) is a single file of another program that uses LMDB, and this command is for the "
          + "directories of lmdbshare; info, ls, show, get, diff, dump --format mdb, readers, doctor and backup work on it"
      )
    }

    /// Opens the store for reading; nothing is made or changed by that, and no lock of writers is needed.
    func forReading(_ pages: PageCheck = .whenSmall, _ reading: ReadingOption = .locked) throws -> SharedStore {
      try opening { try SharedStore(path: path, options: options(reading.access, pages)) }
    }

    /// Opens the store for changes. It must be there, unless it may be made.
    func forWriting(creating: Bool = false, _ pages: PageCheck = .whenSmall) throws -> SharedStore {
      var options = options(.readWrite, pages)
      options.createIfMissing = creating
      // LMDB remembers the largest map; it stays as the programs that use the store have it.
      options.keepsMapSize = true
      return try opening { try SharedStore(path: path, options: options) }
    }

    /// Whether there is something at the path.
    var hasDirectory: Bool { FileManager.default.fileExists(atPath: path) }

    /// Opens the store for changes, or makes it; when `body` fails, or the tool is interrupted, one that was made for it goes
    /// again.
    func creating<R>(_ pages: PageCheck = .whenSmall, _ body: (SharedStore) throws -> R) throws -> R {
      let isThere = StoreArgument.isStore(path)
      let hasDirectory = hasDirectory
      var first: Int?
      // Who is asked to end takes back first what was made. Of a store that was there nothing has to be.
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

  /// How a command that only reads opens a store.
  struct ReadingOption: ParsableArguments {
    @Flag(
      help: ArgumentHelp(
        """
        Reads without entry in lock.mdb, where that cannot be written. Only while no process writes to the store: else what \
        is read may be wrong, or the tool be ended by a signal.
        """
      ))
    var unlocked = false

    init() {}
    init(unlocked: Bool) { self.unlocked = unlocked }

    /// With entry in `lock.mdb`.
    static var locked: ReadingOption { ReadingOption(unlocked: false) }

    var access: StoreOptions.Access { unlocked ? .readOnlyUnlocked : .readOnly }
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
