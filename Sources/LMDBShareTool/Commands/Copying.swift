#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations
  import Synchronization

  struct Backup: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Copies a store into a new directory while other processes use it.",
      discussion: """
        The copy is one snapshot. Every page is checked before the copy gets its name.

        Example:
          lmdbshare backup team.lmdb backups/2026-11-24 --compact
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "A new or empty directory.", completion: .directory)
    var target: String
    @Flag(help: "Leave out free pages: takes longer, and makes a smaller store with faster writes.")
    var compact = false
    @Flag(inversion: .prefixedNo, help: "Check every page of the copy.")
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
      abstract: "Replaces a store that no process has open by a compacted copy.",
      discussion: """
        If a process has the store open, prints it and exits with status 4. Needs disk space for the copy; at every moment the \
        path leads to the old store or the new one. trim needs neither.

        Example:
          lmdbshare compact team.lmdb
        """)

    @OptionGroup var store: StoreArgument

    func run() throws {
      let progress = CopyProgress(total: nil)
      let result: Compaction.Result
      do {
        defer { progress.end() }
        // Fails immediately if a process has the store open; there is nothing to wait for.
        result = try SharedStore.compact(path: store.path) { progress.update($0) }
      }
      var output = Output()
      try output.line("\(Size.text(result.before)) before, \(Size.text(result.after)) now")
      try output.flush()
    }
  }

  struct Trim: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Frees the disk space of unused pages while other processes use the store.",
      discussion: """
        The file keeps its length and its free pages, but takes less disk space; pages that are reused take new space. Pages \
        that a snapshot still uses are skipped. Writers wait for short turns. compact makes the file smaller and faster, and \
        needs exclusive use of the store. When --timeout ends the command, the space freed so far stays free.

        Example:
          lmdbshare trim team.lmdb
        """)

    @OptionGroup var store: StoreArgument
    @OptionGroup var output: FormatOption

    func run() throws {
      let limit = store.limit
      let store = try store.forWriting()
      // The error names the process that writes, as for every other change.
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

  /// Progress that another thread reports.
  private final class CopyProgress: Sendable {
    private let line: Guarded<Progress>
    init(total: Int?) { line = Guarded(Progress("bytes", of: total)) }
    func update(_ bytes: Int) { line.withLock { $0.updateNow(bytes) } }
    func end() { line.withLock { $0.end() } }
  }

  struct Readers: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Lists the readers of a store, the age of their snapshots, and how many pages these keep from being reused.",
      discussion: """
        Examples:
          lmdbshare readers team.lmdb
          lmdbshare readers team.lmdb --clear-stale
        """)

    @OptionGroup var store: StoreArgument
    @Flag(help: "Clear stale readers. Stores also do this automatically from time to time.")
    var clearStale = false
    @Flag(help: "Include slots without a snapshot.")
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
