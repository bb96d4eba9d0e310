#if CommandLineTools
  import ArgumentParser
  import LMDBShare

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// How long to wait for an item, or for room.
  struct WaitOption: ParsableArguments {
    @Flag(help: "Wait, for as long as it takes.")
    var wait = false
    @Option(help: ArgumentHelp("Wait for so long at most.", valueName: "seconds"))
    var timeout: Double?

    func validate() throws {
      if let timeout, !(timeout >= 0 && timeout < 1e9) {
        throw ValidationError("\(timeout) is no number of seconds to wait.")
      }
    }

    var duration: Duration? { timeout.map { .seconds($0) } ?? (wait ? .seconds(1 << 30) : nil) }
  }

  struct Push: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Adds items to a queue.",
      discussion: """
        Without values it reads standard input: each line is an item, written as on the command line. All of them are added, \
        or none.

        Examples:
          lmdbshare push team.lmdb jobs '{"path": "a.txt"}' --priority 2
          seq 1000 | lmdbshare push team.lmdb numbers
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @Argument(parsing: .allUnrecognized, help: ArgumentHelp("The items.", valueName: "value"))
    var words: [String] = []
    @Option(help: ArgumentHelp("From 0, which is taken first, to 7.", valueName: "level"))
    var priority = 4
    @Option(help: ArgumentHelp("How long nobody can take them.", valueName: "seconds"))
    var delay: Double = 0
    @OptionGroup var waiting: WaitOption

    mutating func validate() throws {
      try Words.check(&words)
      if QueuePriority(level: priority) == nil { throw ValidationError("\(priority) is no priority: give 0 to 7.") }
      if !(delay >= 0 && delay < 1e9) { throw ValidationError("\(delay) is no number of seconds.") }
    }

    func run() throws {
      let store = try store.forWriting()
      let queue = try store.untypedQueue(name)
      let types = Types(try store.untyped(name).description)
      var items = try words.map { StoredBytes(try types.value.encode(argument: $0)) }
      if words.isEmpty {
        var lines = Lines(.input)
        while let line = try lines.next() {
          do throws(ValueProblem) {
            guard String(validating: line, as: UTF8.self) != nil else { throw ValueProblem("this is not UTF-8") }
            items.append(StoredBytes(try types.value.encode(argument: String(decoding: line, as: UTF8.self))))
          } catch {
            throw Problem("line \(lines.number): \(error); nothing was added")
          }
        }
      }
      guard let level = QueuePriority(level: priority) else { return }
      let deadline = waiting.duration.map { ContinuousClock.now + $0 }
      let all = items
      while true {
        do {
          return try store.write { txn in
            if delay > 0 {
              for item in all { txn[queue].push(item, priority: level, delay: .seconds(delay)) }
            } else {
              txn[queue].push(contentsOf: all, priority: level)
            }
          }
        } catch let error as StoreError where error.code == .queueFull && all.count <= queue.capacity ?? .max {
          guard let deadline, deadline > .now else {
            throw Problem(
              "'\(Printable.text(name))' is full: \(error.reason); take items first, or add --wait or --timeout",
              Failure.busy)
          }
          _ = try queue.waitForChange(timeout: min(ContinuousClock.now.duration(to: deadline), .milliseconds(250)))
        }
      }
    }
  }

  struct Pop: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes items from a queue: prints them, or gives each to a command.",
      discussion: """
        An item is gone when it has been printed, or when the command has ended with 0; should the tool be killed before, it \
        comes back at once. With --exec, the command is one for the shell; it gets the item on standard input as it is, \
        and a line end, and its number and attempt in LMDBSHARE_SEQUENCE and LMDBSHARE_ATTEMPT. One that fails gives the item back, \
        to be tried again. When the tool is interrupted (Ctrl-C, SIGTERM), it sends the signal to the command and waits for \
        its end; unless that is 0, the item is given back without an attempt being counted. A command that is \
        running when the tool is killed by SIGKILL goes on by itself.

        Ends with 3 when there is no item, with 4 when there was none in time.

        Examples:
          lmdbshare pop team.lmdb jobs --wait
          lmdbshare pop team.lmdb jobs --wait --exec 'jq -r .path | xargs gzip'
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @Option(help: ArgumentHelp("The most items to take.", valueName: "count"))
    var count = 1
    @OptionGroup var waiting: WaitOption
    @Option(help: ArgumentHelp("What works on an item.", valueName: "command"))
    var exec: String?
    @Option(help: ArgumentHelp("How long that may take; afterwards somebody else gets the item.", valueName: "seconds"))
    var lease: Double = 3600
    @OptionGroup var output: FormatOption

    func validate() throws {
      if count < 1 { throw ValidationError("\(count) is no number of items.") }
      if !(lease > 0 && lease < 1e9) { throw ValidationError("\(lease) is no number of seconds.") }
    }

    func run() throws {
      let store = try store.forWriting()
      let queue = try store.untypedQueue(name)
      let types = Types(try store.untyped(name).description)
      if let exec { return try work(exec, queue, types) }
      let leases = try next(queue, count)
      guard !leases.isEmpty else { throw nothing }
      do {
        try ItemPrinter.print(leases, types, output)
      } catch {
        // They have not been read by anybody.
        try store.write { txn in
          for lease in leases {
            try txn[queue].release(lease, reason: "it could not be printed", countingAttempt: false)
          }
        }
        throw error
      }
      try store.write { txn in for lease in leases { try txn[queue].acknowledge(lease) } }
    }

    private func next(_ queue: SharedQueue<StoredBytes>, _ count: Int) throws -> [SharedQueue<StoredBytes>.Lease] {
      guard let timeout = waiting.duration else { return try queue.lease(atMost: count, for: .seconds(lease)) }
      return try queue.lease(atMost: count, for: .seconds(lease), timeout: timeout)
    }

    /// Gives one item after the other to the command, until it has worked on as many as are wanted, or the tool is interrupted.
    private func work(_ command: String, _ queue: SharedQueue<StoredBytes>, _ types: Types) throws {
      ChildProcess.catchSignals()
      for index in 0..<count {
        guard let lease = try nextUnlessInterrupted(queue) else {
          if let signal = ChildProcess.caughtSignal { throw Failure.interrupted(by: signal) }
          if index == 0 { throw nothing }
          return
        }
        try work(on: lease, command, types, queue)
      }
    }

    /// The next item; nil when there is none in time, or the tool is interrupted.
    private func nextUnlessInterrupted(
      _ queue: SharedQueue<StoredBytes>
    ) throws -> SharedQueue<StoredBytes>.Lease? {
      guard let timeout = waiting.duration else { return try queue.lease(for: .seconds(lease)) }
      let deadline = ContinuousClock.now + timeout
      let step = Duration.milliseconds(100)
      while ChildProcess.caughtSignal == nil {
        let left = ContinuousClock.now.duration(to: deadline)
        do {
          if let lease = try queue.lease(for: .seconds(lease), timeout: max(.zero, min(left, step))) { return lease }
          let now = try queue.statistics()
          if now.isClosed, now.ready + now.delayed + now.leases.count == 0 { return nil }
        } catch let error as StoreError where error.code == .writerBusy && left > step {}
        if left <= step { return nil }
      }
      return nil
    }

    private var nothing: Problem {
      let name = Printable.text(name)
      return waiting.duration == nil
        ? Problem("'\(name)' has no item that can be taken", Failure.notFound)
        : Problem("'\(name)' had no item in time, or is closed and empty", Failure.busy)
    }

    private func work(
      on lease: SharedQueue<StoredBytes>.Lease, _ command: String, _ types: Types, _ queue: SharedQueue<StoredBytes>
    ) throws {
      func giveBack(untriedBecause signal: Int32) throws -> Never {
        try queue.release(lease, reason: "interrupted", countingAttempt: false)
        throw Failure.interrupted(by: signal)
      }
      if let signal = ChildProcess.caughtSignal { try giveBack(untriedBecause: signal) }
      let end = try ChildProcess.runShell(
        command, input: withBytes(of: lease.element.bytes) { types.plain($0) + [UInt8(ascii: "\n")] },
        environment: ["LMDBSHARE_SEQUENCE": "\(lease.sequence)", "LMDBSHARE_ATTEMPT": "\(lease.attempt)"])
      if end.status == 0, end.signal == 0 {
        try queue.acknowledge(lease)
        if let signal = ChildProcess.caughtSignal { throw Failure.interrupted(by: signal) }
        return
      }
      if let signal = ChildProcess.caughtSignal { try giveBack(untriedBecause: signal) }
      let reason = end.signal == 0 ? "the command ended with \(end.status)" : "signal \(end.signal) ended the command"
      try queue.release(lease, reason: reason)
      throw Problem("item \(lease.sequence), attempt \(lease.attempt): \(reason); the item was given back")
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
          try printer.print(types, Selection.Entry(position: 0, item: item), nil, bytes)
        }
      }
      try printer.finish()
    }
  }

  struct Peek: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the items of a queue that are next, and leaves them there.",
      discussion: "Example:\n  lmdbshare peek team.lmdb jobs --count 5")

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @Option(help: ArgumentHelp("The most items to print.", valueName: "count"))
    var count = 1
    @OptionGroup var output: FormatOption

    func validate() throws {
      if count < 1 { throw ValidationError("\(count) is no number of items.") }
    }

    func run() throws {
      let store = try store.forReading()
      let structure = try store.untyped(name)
      _ = try store.untypedQueue(name)
      var printer = EntryPrinter(output, values: output.format == .text)
      var seen = 0
      let types = Types(structure.description)
      try store.read { txn in
        try txn.contents(structure).walkItems { item, bytes in
          guard item.state == .ready, seen < count else { return false }
          seen += 1
          try printer.print(types, .init(position: seen, item: item), nil, bytes)
          return true
        }
      }
      try printer.finish()
      if seen == 0 { throw Problem("'\(Printable.text(name))' has no item that can be taken", Failure.notFound) }
    }
  }

  struct Leases: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists which items of a queue are being worked on, by which process.",
      discussion: "Example:\n  lmdbshare leases team.lmdb jobs")

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @OptionGroup var output: FormatOption

    func run() throws {
      let statistics = try store.forReading().untypedQueue(name).statistics()
      var records = output.records()
      for lease in statistics.leases {
        let remaining = lease.remaining
        try records.add([
          .init("sequence", .number(Int(clamping: lease.sequence))),
          .init("processID", .number(lease.processID), title: "pid"),
          .init("isAlive", .bool(lease.isAlive), title: "alive"),
          .init("attempt", .number(lease.attempt)),
          .init(
            "remainingSeconds", .decimal(Double(remaining.components.seconds)), title: "remaining",
            text: remaining < .zero ? "overdue by \(Size.text(.zero - remaining))" : Size.text(remaining)),
          .init("token", .number(Int(clamping: lease.token))),
        ])
      }
      try records.titles("sequence", "processID", "isAlive", "attempt", "remainingSeconds", "token")
      try records.finish()
    }
  }

  struct DeadLetters: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the items of a queue that were given up, puts them back, or removes them.",
      discussion: """
        Examples:
          lmdbshare dead-letters team.lmdb jobs
          lmdbshare dead-letters team.lmdb jobs --retry 17
          lmdbshare dead-letters team.lmdb jobs --retry-all
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @Option(help: ArgumentHelp("Puts this one back into the queue.", valueName: "sequence"))
    var retry: [UInt64] = []
    @Flag(help: "Puts all of them back.")
    var retryAll = false
    @Option(help: ArgumentHelp("Removes this one for good.", valueName: "sequence"))
    var remove: [UInt64] = []
    @OptionGroup var output: FormatOption

    func run() throws {
      if retry.isEmpty, remove.isEmpty, !retryAll { return try list() }
      let store = try store.forWriting()
      let queue = try store.untypedQueue(name)
      try store.write { txn in
        let letters = txn[queue].deadLetters.map(\.sequence)
        for number in retry + remove where !letters.contains(number) {
          throw Problem(
            "item \(number) of '\(Printable.text(name))' is no dead letter; nothing was changed", Failure.notFound)
        }
        for number in retryAll ? letters.filter({ !remove.contains($0) }) : retry { _ = txn[queue].retry(number) }
        for number in remove { _ = txn[queue].remove(number) }
      }
    }

    private func list() throws {
      let store = try store.forReading()
      let types = Types(try store.untyped(name).description)
      let letters = try store.untypedQueue(name).deadLetters()
      var records = output.records()
      for letter in letters {
        var json = JSONWriter()
        json.begin("{")
        withBytes(of: letter.bytes) { types.writeValue($0, to: &json) }
        json.end("}")
        try records.add([
          .init("sequence", .number(Int(clamping: letter.sequence))),
          .init("attempts", .number(letter.attempts)),
          .init(
            "ageSeconds", .decimal(Double(letter.age.components.seconds)), title: "age", text: Size.text(letter.age)),
          .init("reason", .text(letter.reason)),
          .init(
            "item", .json(json.out.withBytes { $0.copied() }),
            text: withBytes(of: letter.bytes) { types.text($0, limit: 200) }),
        ])
      }
      try records.finish()
    }
  }
#endif
