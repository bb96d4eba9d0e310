#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations
  import Synchronization

  struct Backup: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Copies a store into a new directory while others go on to use it.",
      discussion: """
        The copy is one snapshot; every page of it is checked, and only then it gets its name.

        Example:
          lmdbshare backup team.lmdb backups/2026-11-24 --compact
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "A new or empty directory.", completion: .directory)
    var target: String
    @Flag(help: "Leaves out free pages; takes longer, and gives a smaller store that writes faster.")
    var compact = false
    @Flag(inversion: .prefixedNo, help: "Whether every page of the copy is checked.")
    var verify = true
    @OptionGroup var reading: ReadingOption

    func run() throws {
      let file = try Opened(store, .always, reading)
      let numbers = try file.statistics()
      let progress = CopyProgress(total: compact ? numbers.usedBytes : numbers.fileBytes)
      defer { progress.end() }
      try file.environment.backup(to: target, compacting: compact, isChecked: true, verifying: verify) {
        progress.update($0)
      }
    }
  }

  struct Compact: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Puts a compacted copy in the place of a store that nobody has open.",
      discussion: """
        Tells who has it open otherwise, and ends with 4. It needs room for the copy; the store is the old or the new one at \
        every moment. trim needs neither.

        Example:
          lmdbshare compact team.lmdb
        """)

    @OptionGroup var store: StoreArgument

    func run() throws {
      let progress = CopyProgress(total: nil)
      let result: Compaction.Result
      do {
        defer { progress.end() }
        // What has it open ends this at once; there is nothing to wait for.
        result = try Compaction.run(path: store.path) { progress.update($0) }
      }
      // Whoever opens it first makes the lock file fit.
      _ = try Opened(store, .never)
      var output = Output()
      try output.line("\(Size.text(result.before)) before, \(Size.text(result.after)) now")
      try output.flush()
    }
  }

  struct Trim: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Gives the disk space of free pages back while others use the store.",
      discussion: """
        The file keeps its length and its free pages, but takes less of the disk; pages that are used again take new space. \
        Those that a snapshot still sees are left alone. Writers wait for short turns. compact makes the file small and \
        quick again, and needs the store for itself. Where --timeout ends it, what was given back stays so.

        Example:
          lmdbshare trim team.lmdb
        """)

    @OptionGroup var store: StoreArgument
    @OptionGroup var output: FormatOption

    func run() throws {
      let limit = store.limit
      let store = try store.forWriting()
      // The error names the process that writes, as it does for every other change.
      try store.write(within: limit) { _ in }
      let subject = Watchdog.Subject(operation: "trim", path: store.path, isWork: true)
      let freed = try limit.watching(subject) { _ in try store.trim(timeout: limit.duration) }
      let numbers = try store.statistics()
      try Records.single(
        [
          .init("freedBytes", .number(freed), title: "given back", text: Size.text(freed)),
          .init(
            "allocatedBytes", .number(numbers.allocatedBytes), title: "on disk", text: Size.text(numbers.allocatedBytes)
          ),
          .init("fileBytes", .number(numbers.fileBytes), title: "file", text: Size.text(numbers.fileBytes)),
        ], output.format, output.style)
    }
  }

  /// Progress that another thread tells.
  private final class CopyProgress: Sendable {
    private let line: Mutex<Progress>
    init(total: Int?) { line = Mutex(Progress("bytes", of: total)) }
    func update(_ bytes: Int) { line.withLock { $0.updateNow(bytes) } }
    func end() { line.withLock { $0.end() } }
  }

  struct Readers: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Lists who reads a store, how old their snapshots are, and how many pages these keep from being used again.",
      discussion: """
        Examples:
          lmdbshare readers team.lmdb
          lmdbshare readers team.lmdb --clear-stale
        """)

    @OptionGroup var store: StoreArgument
    @Flag(help: "Frees the slots of processes that died; the store does so by itself from time to time.")
    var clearStale = false
    @Flag(help: "Slots that are not reading now, too.")
    var all = false
    @OptionGroup var output: FormatOption

    func run() throws {
      let file = try Opened(store)
      if clearStale {
        let count = try file.environment.clearStaleReaders()
        var output = Output()
        try output.line("\(counted(count, "slot")) of dead processes freed")
        return try output.flush()
      }
      let pins = try file.pins()
      let readers = try file.statistics().others
      var records = output.records()
      for reader in readers where all || reader.snapshotID != nil {
        let pinned = reader.snapshotID.map { pins.pages(heldBy: $0) }
        try records.add([
          .init("processID", .number(reader.processID), title: "pid"),
          .init("thread", .text(reader.thread)),
          .init("isAlive", .bool(Processes.isAlive(reader.processID)), title: "alive"),
          .init("command", .text(Processes.command(reader.processID))),
          .init("snapshot", .number(reader.snapshotID)),
          .init("lag", .number(reader.lag), title: "behind"),
          .init(
            "ageSeconds", .decimal(reader.age.map { Double($0.components.seconds) }), title: "age",
            text: reader.age.map { Size.text($0) } ?? (reader.lag ?? 0 > 0 ? "?" : "")),
          .init("pinnedPages", .number(pinned), title: "pins"),
        ])
      }
      try records.titles(
        "processID", "thread", "isAlive", "command", "snapshot", "lag", "ageSeconds", "pinnedPages")
      try records.finish()
    }
  }
#endif
