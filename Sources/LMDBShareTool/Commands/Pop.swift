#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Pop: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes items from a queue: prints them, or passes each to a command.",
      discussion: """
        An item is removed when it has been printed, or when the command has exited with 0. If the tool is killed earlier, the \
        item returns to the queue immediately. With --exec, the shell runs the command with the item and a line end on standard \
        input, and its number and attempt in LMDBSHARE_SEQUENCE and LMDBSHARE_ATTEMPT. If the command fails, the item is \
        returned for another attempt. When the tool is interrupted (Ctrl-C, SIGTERM), it sends the signal to the command and \
        waits for its end; unless the command exits with 0, the item is returned without counting an attempt. If the tool is \
        killed by SIGKILL, a running command continues.

        --timeout limits the wait for items, not the acknowledgement: while another process writes, the tool tries for \
        five minutes to remove a finished item (longer with a longer --timeout; ten seconds once it is \
        interrupted). If that fails, it prints an error and exits with status 4; the item is tried again, or becomes a dead \
        letter after its last attempt.

        Exits with status 3 when there is no item, and with 4 when there was none in time, or another process was still writing.

        Examples:
          lmdbshare pop team.lmdb jobs --wait
          lmdbshare pop team.lmdb jobs --wait --exec 'jq -r .path | xargs gzip'
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @Option(help: ArgumentHelp("The maximum number of items to take.", valueName: "count"))
    var count = 1
    @OptionGroup var waiting: WaitOption
    @Option(help: ArgumentHelp("The command that processes an item.", valueName: "command"))
    var exec: String?
    @Option(help: ArgumentHelp("The lease time, after which another consumer gets the item.", valueName: "time"))
    var lease = TimeSpan(.seconds(3600))
    @OptionGroup var output: FormatOption

    func validate() throws {
      if count < 1 { throw ValidationError("\(count) is not a number of items.") }
      if lease.duration <= .zero { throw ValidationError("--lease must be longer than nothing.") }
    }

    func run() throws {
      let store = try store.forWriting()
      let queue = try store.untypedQueue(name)
      let types = Types(try store.untyped(name).description)
      if let exec { return try work(exec, queue, types, store) }
      let leases = try next(queue, count, store)
      guard !leases.isEmpty else { throw nothing }
      do {
        try ItemPrinter.print(leases, types, output)
      } catch {
        // The items were not read.
        let last =
          "unprinted items were not returned untried: they are available now, with an attempt counted"
        try settle(store, last) { txn in
          for lease in leases {
            try txn[queue].release(lease, reason: "it could not be printed", countingAttempt: false)
          }
        }
        throw error
      }
      let items =
        leases.count == 1
        ? "item \(leases[0].sequence) was" : "\(leases.count) items, \(leases[0].sequence) the first of them, were"
      try settle(store, "\(items) printed but not acknowledged, \(Self.comesAgain)") { txn in
        for lease in leases { try txn[queue].acknowledge(lease) }
      }
    }

    private static let comesAgain = "and will be tried again, or become a dead letter after the last attempt"
    /// How long to wait for other processes, at least, to record the outcome of items in the queue.
    private static let patience = Duration.seconds(300)
    /// How long to wait once the tool was asked to end.
    private static let patienceWhenInterrupted = Duration.seconds(10)

    /// Records the outcome of items in the queue, as soon as other processes let it: work that is done must not be repeated
    /// because they write. The --timeout for items does not shorten that.
    ///
    /// - Parameter consequence: What follows when that fails.
    private func settle(
      _ opened: SharedStore, _ consequence: String, _ body: (inout WriteTransaction) throws -> Void
    ) throws {
      let limit = TimeLimit(store.limit.duration.map { max($0, Self.patience) })
      var deadline = limit.deadline
      var isInterrupted = false
      let subject = Watchdog.Subject(
        operation: "write to", path: opened.path, consequence: consequence, afterSignal: Self.patienceWhenInterrupted)
      do {
        try limit.watching(subject) { watchdog in
          while true {
            if !isInterrupted, ChildProcess.caughtSignal != nil {
              isInterrupted = true
              let end = ContinuousClock.now + Self.patienceWhenInterrupted
              deadline = min(deadline ?? end, end)
            }
            let left = deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) } ?? Self.step
            do {
              return try opened.write(timeout: min(left, Self.step), watchdog, body)
            } catch let error as StoreError where error.code == .writerBusy {
              if left == .zero { throw error }
            }
          }
        }
      } catch let error as StoreError {
        throw Problem("\(consequence): \(error.forTheTool.description)", Status(error.code))
      }
    }

    /// How long to wait between checks for a signal.
    private static let step = Duration.milliseconds(100)

    /// The next items; empty when there are none in time, or the tool is interrupted.
    private func next(
      _ queue: SharedQueue<StoredBytes>, _ count: Int, _ opened: SharedStore
    ) throws -> [SharedQueue<StoredBytes>.Lease] {
      let deadline = waiting.limit(store).deadline
      let step = exec == nil ? Duration.seconds(1 << 30) : Self.step
      var busyUntil: ContinuousClock.Instant??
      while ChildProcess.caughtSignal == nil {
        let left = deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) } ?? .seconds(1 << 30)
        // A read transaction: finding an empty queue does not require the writer's lock.
        if try queue.waitForItem(timeout: min(left, step)) {
          let limit = store.limit(until: deadline)
          do {
            // The wait is divided so that signals are noticed; a writer without this library can block for the whole limit.
            let leases = try limit.watching("write to", opened.path) { watchdog in
              try opened.write(timeout: min(limit.duration ?? step, step), watchdog) { txn in
                try txn[queue].lease(atMost: count, for: lease.duration)
              }
            }
            if !leases.isEmpty { return leases }
            // Another process was faster.
            busyUntil = nil
          } catch let error as StoreError where error.code == .writerBusy {
            let end = busyUntil ?? limit.deadline
            busyUntil = .some(end)
            if let end, end <= .now { throw error }
            continue
          }
        } else {
          let now = try queue.statistics()
          if now.isClosed, now.ready + now.delayed + now.leases.count == 0 { return [] }
        }
        if left == .zero { return [] }
      }
      return []
    }

    /// Passes one item after the other to the command, until the requested number is done, or the tool is interrupted.
    private func work(
      _ command: String, _ queue: SharedQueue<StoredBytes>, _ types: Types, _ opened: SharedStore
    ) throws {
      ChildProcess.catchSignals()
      for index in 0..<count {
        guard let lease = try next(queue, 1, opened).first else {
          if let signal = ChildProcess.caughtSignal { throw Failure.interrupted(by: signal) }
          if index == 0 { throw nothing }
          return
        }
        try work(on: lease, command, types, queue, opened)
      }
    }

    private var nothing: Problem {
      let name = Printable.text(name)
      return !waiting.waits(store)
        ? Problem("'\(name)' has no item that can be taken", .notFound)
        : Problem("'\(name)' had no item in time, or is closed and empty", .busy)
    }

    private func work(
      on lease: SharedQueue<StoredBytes>.Lease, _ command: String, _ types: Types, _ queue: SharedQueue<StoredBytes>,
      _ opened: SharedStore
    ) throws {
      func giveBack(untriedBecause signal: Int32) throws -> Never {
        let last = "item \(lease.sequence) was not returned untried: it is available now, with an attempt counted"
        try settle(opened, last) { txn in
          try txn[queue].release(lease, reason: "interrupted", countingAttempt: false)
        }
        throw Failure.interrupted(by: signal)
      }
      if let signal = ChildProcess.caughtSignal { try giveBack(untriedBecause: signal) }
      let end = try ChildProcess.runShell(
        command, input: withBytes(of: lease.element.bytes) { types.plain($0) + [UInt8(ascii: "\n")] },
        environment: ["LMDBSHARE_SEQUENCE": "\(lease.sequence)", "LMDBSHARE_ATTEMPT": "\(lease.attempt)"])
      if end.status == 0, end.signal == 0 {
        try settle(opened, "item \(lease.sequence) is done but was not acknowledged, \(Self.comesAgain)") { txn in
          try txn[queue].acknowledge(lease)
        }
        if let signal = ChildProcess.caughtSignal { throw Failure.interrupted(by: signal) }
        return
      }
      if let signal = ChildProcess.caughtSignal { try giveBack(untriedBecause: signal) }
      let reason = end.signal == 0 ? "the command ended with \(end.status)" : "signal \(end.signal) ended the command"
      try settle(opened, "item \(lease.sequence): \(reason); it was not returned, but is available now") { txn in
        try txn[queue].release(lease, reason: reason)
      }
      throw Problem("item \(lease.sequence), attempt \(lease.attempt): \(reason); the item was returned")
    }
  }

  /// Prints items of a queue.
  enum ItemPrinter {
    static func print(_ leases: [SharedQueue<StoredBytes>.Lease], _ types: Types, _ output: FormatOption) throws {
      var printer = EntryPrinter(output, values: output.format == .text)
      for lease in leases {
        let item = UntypedContents.Item(
          sequence: lease.sequence, state: .leased, level: lease.priority.level,
          attempts: UInt32(clamping: lease.attempt))
        try withBytes(of: lease.element.bytes) { bytes in
          try printer.print(types, ListedEntry(position: 0, item: item), nil, bytes)
        }
      }
      try printer.finish()
    }
  }
#endif
