#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Doctor: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks a store for current and imminent problems, and says how to fix them.",
      discussion: """
        Prints a line for each finding, with its cure. Exits with status 2 when there are findings other than notes, and with 4 \
        when other processes block the check. Only --trust changes anything.

        If the machine went down before the last commits of a store with durability .processCrashOnly were synced, the store \
        cannot be opened. --trust checks every page and then accepts it, which is safe after an orderly shutdown. After a \
        power cut, sound pages may belong to different commits, which cannot be detected.

        Examples:
          lmdbshare doctor team.lmdb
          lmdbshare doctor team.lmdb --trust
        """)

    @OptionGroup var store: StoreArgument
    @Flag(help: "Skip reading every structure, and every page of a file of more than 64 MiB.")
    var quick = false
    @Flag(help: "Accept a store that was not synced when the machine went down, if all its pages are sound.")
    var trust = false
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    func validate() throws {
      if trust, reading.unlocked { throw ValidationError("--trust and --unlocked cannot be combined.") }
    }

    func run() throws {
      var examination = Examination(store, quick ? .whenSmall : .always, reading)
      try examination.run(checkingAll: !quick, trusting: trust)
      var records = output.records()
      for finding in examination.findings {
        let severity = finding.severity
        let text =
          switch severity {
          case .problem: output.style.bad("problem")
          case .warning: output.style.warning("warning")
          case .note: output.style.faint("note")
          }
        try records.add([
          .init("severity", .text(severity.rawValue), text: output.style.isColoured ? text : nil),
          .init("subject", .text(finding.subject)),
          .init("finding", .text(finding.text)),
          .init("cure", .text(finding.cure)),
        ])
      }
      try records.finish()
      if examination.findings.contains(where: { $0.severity != .note }) { throw Failure.damage }
      if output.format == .text, examination.findings.isEmpty {
        var output = Output()
        try output.line("nothing is wrong")
        try output.flush()
      }
    }
  }

  /// The examination of a store, and its findings.
  package struct Examination {
    package enum Severity: String { case problem, warning, note }

    package struct Finding {
      package var severity: Severity
      package var subject: String
      package var text: String
      package var cure: String
    }

    private let store: StoreArgument
    private let pages: StoreArgument.PageCheck
    private let reading: ReadingOption
    private var path: String { store.path }
    private(set) var findings: [Finding] = []

    init(_ store: StoreArgument, _ pages: StoreArgument.PageCheck, _ reading: ReadingOption) {
      self.reading = reading
      self.store = store
      self.pages = pages
    }

    private mutating func add(_ severity: Severity, _ subject: String, _ text: String, _ cure: String) {
      findings.append(Finding(severity: severity, subject: subject, text: text, cure: cure))
    }

    private mutating func add(_ error: StoreError) {
      add(.problem, error.structure ?? "store", error.reason, error.forTheTool.advice)
    }

    mutating func run(checkingAll: Bool, trusting: Bool) throws {
      if let finding = Self.finding(ofLibrary: Environment.libraryVersion) { findings.append(finding) }
      try lookAtDirectory()
      let file: Opened
      do {
        file = try opened(trusting)
      } catch let error as StoreError {
        if error.code == .storeNotFound || error.code == .notAStore && StoreDirectory.isFile(path) { throw error }
        // These errors say nothing about the store, which was not examined.
        if [.busy, .writerBusy, .timedOut].contains(error.code) { throw error }
        return add(error)
      }
      if file.store == nil {
        add(
          .note, "store", "it is an LMDB file of another program", "show, ls, dump --format mdb and readers work on it")
      }
      if file.hasUnsyncedCommits {
        add(
          .note, "unsynced", "some commits may only be in memory (durability .processCrashOnly)",
          "a power cut now would make the store suspect; open it with .durable for data that matters")
      }
      let numbers = try file.statistics()
      try lookAtPages(numbers, of: file)
      try lookAtReaders(file, numbers)
      if let store = file.store { try lookAtQueues(store) }
      if checkingAll { try check(file) }
    }

    /// Opens the store. One with unsynced commits is first checked and accepted, if that is requested.
    private func opened(_ trusting: Bool) throws -> Opened {
      do {
        return try Opened(store, pages, reading)
      } catch let error as StoreError where error.code == .unsynced && trusting {
        var options = store.options(.readWrite, .always)
        options.unsyncedAfterReboot = .check
        let made = options
        _ = try store.opening { try SharedStore(path: path, options: made) }
        return try Opened(store, pages, reading)
      }
    }

    // MARK: Around the data

    /// The finding about a version of LMDB.
    package static func finding(ofLibrary version: String) -> Finding? {
      let parts = version.split(separator: ".").compactMap { Int($0) }
      if parts.count == 3, parts[0] == 0, parts[1] == 9, 26...31 ~= parts[2] {
        return Finding(
          severity: .warning, subject: "liblmdb",
          text: "in version \(version) transactions fail at random while other processes open and close",
          cure: "this library tries again; others do not: install 0.9.24, or 0.9.32 or later")
      }
      guard parts.count == 3, parts[0] > 0 else { return nil }
      return Finding(
        severity: .problem, subject: "liblmdb", text: "version \(version) has another data format",
        cure: "install version 0.9")
    }

    private mutating func lookAtDirectory() throws {
      let directory: StoreDirectory
      do throws(StoreError) {
        directory = try StoreDirectory(path: path, create: false, allowNetwork: false, mayBeFile: true)
      } catch {
        if error.code != .networkFileSystem { throw error }
        return add(error)
      }
      // Other files beside a data file of another program are not checked.
      if directory.isFile { return }
      let known = StoreDirectory.files
      let own = try directory.descriptor.status()
      if own.mode & 0o022 != 0 {
        add(
          .warning, "directory", "others may write to it (mode \(Self.octal(own.mode)))",
          "chmod go-w \(path), unless they should")
      }
      if own.owner != 0, let danger = try directory.dangerToRoot() {
        add(
          .warning, "directory", "\(danger), who could end programs of root that open it",
          "run them as its owner; the library asks root for allowForeignOwner")
      }
      for name in try directory.descriptor.names().sorted() {
        if StoreDirectory.isUnfinished(name) {
          add(
            .note, name, "it was left by an interrupted copy or creation", "remove it while no copy is running"
          )
        } else if !known.contains(name) {
          add(.warning, name, "this file does not belong to a store", "keep other files elsewhere")
        }
        guard known.contains(name), let status = try directory.descriptor.status(of: name) else { continue }
        if status.owner != own.owner {
          add(
            .warning, name, "it belongs to user \(status.owner), the directory to user \(own.owner)",
            "chown \(own.owner) \(path)/\(name)")
        }
        if status.mode & 0o002 != 0 {
          add(
            .warning, name, "every user may write to it (mode \(Self.octal(status.mode)))", "chmod o-w \(path)/\(name)")
        }
      }
    }

    private static func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }

    // MARK: What is in it

    private mutating func lookAtPages(_ numbers: StoreStatistics, of file: Opened) throws {
      if let space = FreeSpace(numbers) { add(.warning, "free pages", space.text, space.cure) }
      // The largest map with which a process has written; if the map may grow, it does so earlier.
      let reserved = try file.environment.directory.storedMapSize()
      if numbers.usedBytes > reserved / 10 * 9 {
        add(
          .warning, "map", "\(Size.text(numbers.usedBytes)) of \(Size.text(reserved)) are used",
          "remove data, or let the programs that write open it with a larger maximumSize (map size)")
      }
    }

    private mutating func lookAtReaders(_ file: Opened, _ numbers: StoreStatistics) throws {
      for reader in numbers.others where reader.snapshotID != nil && !Processes.isAlive(reader.processID) {
        add(
          .problem, "reader \(reader.processID)",
          "no process has this number here: it runs in another pid namespace, or has just died",
          "let all users of a store run in one pid namespace; readers --clear-stale clears those of dead processes")
      }
      for snapshot in OldSnapshot.all(numbers, try file.pins()) {
        add(
          .warning, "reader \(snapshot.reader.processID)", snapshot.text(pageSize: numbers.pageSize),
          "end the snapshot, or the process; the file does not shrink by that, but then trim gives its disk space back, and compact and backup --compact make it small"
        )
      }
      if numbers.readers.count * 10 > numbers.maximumReaders * 9 {
        add(
          .warning, "readers", "\(numbers.readers.count) of \(numbers.maximumReaders) slots are taken",
          "open the store with more maximumReaders while no process has it open")
      }
    }

    private mutating func lookAtQueues(_ store: SharedStore) throws {
      for description in try store.structures() where description.kind == .queue {
        let statistics: QueueStatistics
        do {
          statistics = try store.untypedQueue(description.name).statistics()
        } catch let error as StoreError {
          if error.code != .structureNotFound { add(error) }
          continue
        }
        let overdue = statistics.leases.filter { $0.remaining < .zero }.count
        let dead = statistics.leases.filter { !$0.isAlive }.count
        if dead > 0 {
          add(
            .warning, description.name, "\(counted(dead, "item")) leased by processes that died",
            "they are returned when a consumer asks for an item: start a consumer")
        }
        if overdue > 0 {
          add(
            .warning, description.name, "\(counted(overdue, "lease")) that ran out",
            "they are returned when a consumer asks for an item; lease for longer, or extend in time")
        }
        if statistics.dead > 0 {
          add(
            .note, description.name, "\(counted(statistics.dead, "item")) given up",
            "dead-letters lists them, puts them back, or removes them")
        }
      }
    }

    private mutating func check(_ file: Opened) throws {
      do throws(StoreError) {
        // The pages were checked when the store was opened.
        for error in try file.store?.check(isChecked: true) ?? [] { add(error) }
      } catch {
        guard error.code == .damaged || error.code == .truncated else { throw error }
        add(error)
      }
    }
  }

#endif
