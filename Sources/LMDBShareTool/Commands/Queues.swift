#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// Whether to wait for an item, or for room, and for how long.
  struct WaitOption: ParsableArguments {
    @Flag(help: "Wait without a limit, or for the time of --timeout, which implies --wait.")
    var wait = false

    /// Until when to wait; the limit for other processes applies to this wait, too.
    func limit(_ store: StoreArgument) -> TimeLimit {
      store.timeout ?? (wait ? TimeLimit(nil) : TimeLimit(.zero))
    }

    /// Whether to wait at all.
    func waits(_ store: StoreArgument) -> Bool { wait || store.timeout != nil }
  }

  extension StoreArgument {
    /// How long a write within an operation with a deadline may wait for other processes.
    func limit(until deadline: ContinuousClock.Instant?) -> TimeLimit {
      guard timeout != nil, let deadline else { return limit }
      return TimeLimit(max(.zero, ContinuousClock.now.duration(to: deadline)))
    }
  }

  struct Push: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Adds items to a queue.",
      discussion: """
        Without values, each line of standard input is an item, written as on the command line. Adds all items or none. When \
        the queue is full, exits with status 4, or waits for room with --wait or --timeout.

        Examples:
          lmdbshare push team.lmdb jobs '{"path": "a.txt"}' --priority 2
          seq 1000 | lmdbshare push team.lmdb numbers
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @Argument(parsing: .allUnrecognized, help: ArgumentHelp("The items.", valueName: "value"))
    var words: [String] = []
    @Option(help: ArgumentHelp("From 0 (taken first) to 7.", valueName: "level"))
    var priority = 4
    @Option(help: ArgumentHelp("The delay until they can be taken: seconds, or 500ms, 2m, 1h.", valueName: "time"))
    var delay = TimeSpan(.zero)
    @OptionGroup var waiting: WaitOption

    mutating func validate() throws {
      try Words.check(&words)
      if QueuePriority(level: priority) == nil { throw ValidationError("\(priority) is not a priority: give 0 to 7.") }
    }

    func run() throws {
      let argument = self.store
      let store = try argument.forWriting()
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
      let deadline = waiting.limit(argument).deadline
      let all = items
      while true {
        do {
          return try store.write(within: argument.limit(until: deadline)) { txn in
            if delay.duration > .zero {
              for item in all { txn[queue].push(item, priority: level, delay: delay.duration) }
            } else {
              txn[queue].push(contentsOf: all, priority: level)
            }
          }
        } catch let error as StoreError where error.code == .queueFull && all.count <= queue.capacity ?? .max {
          let left = deadline.map { ContinuousClock.now.duration(to: $0) } ?? .seconds(1)
          guard left > .zero else {
            throw Problem(
              "'\(Printable.text(name))' is full: \(error.reason); take items first, or add --wait or --timeout",
              .busy)
          }
          _ = try queue.waitForChange(timeout: min(left, .milliseconds(250)))
        }
      }
    }
  }

  struct Peek: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the next items of a queue without taking them.",
      discussion: "Example:\n  lmdbshare peek team.lmdb jobs --count 5")

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @Option(help: ArgumentHelp("The maximum number of items to print.", valueName: "count"))
    var count = 1
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    func validate() throws {
      if count < 1 { throw ValidationError("\(count) is not a number of items.") }
    }

    func run() throws {
      let store = try store.forReading(.whenSmall, reading)
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
      if seen == 0 { throw Problem("'\(Printable.text(name))' has no item that can be taken", .notFound) }
    }
  }

  struct Leases: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the leased items of a queue, and the processes that work on them.",
      discussion: "Example:\n  lmdbshare leases team.lmdb jobs")

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    func run() throws {
      let statistics = try store.forReading(.whenSmall, reading).untypedQueue(name).statistics()
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
      abstract: "Lists the dead letters of a queue, puts them back, or removes them.",
      discussion: """
        Examples:
          lmdbshare dead-letters team.lmdb jobs
          lmdbshare dead-letters team.lmdb jobs --retry 17
          lmdbshare dead-letters team.lmdb jobs --retry-all
        """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The queue's name.", completion: Completion.structures)
    var name: String
    @Option(help: ArgumentHelp("Put this item back into the queue.", valueName: "sequence"))
    var retry: [UInt64] = []
    @Flag(help: "Put all items back.")
    var retryAll = false
    @Option(help: ArgumentHelp("Remove this item permanently.", valueName: "sequence"))
    var remove: [UInt64] = []
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    func validate() throws {
      if reading.unlocked, retryAll || !retry.isEmpty || !remove.isEmpty {
        throw ValidationError("--unlocked is only for reading.")
      }
    }

    func run() throws {
      if retry.isEmpty, remove.isEmpty, !retryAll { return try list() }
      let limit = store.limit
      let store = try store.forWriting()
      let queue = try store.untypedQueue(name)
      try store.write(within: limit) { txn in
        let letters = txn[queue].deadLetters.map(\.sequence)
        for number in retry + remove where !letters.contains(number) {
          throw Problem(
            "item \(number) of '\(Printable.text(name))' is not a dead letter; nothing was changed", .notFound)
        }
        for number in retryAll ? letters.filter({ !remove.contains($0) }) : retry { _ = txn[queue].retry(number) }
        for number in remove { _ = txn[queue].remove(number) }
      }
    }

    private func list() throws {
      let store = try store.forReading(.whenSmall, reading)
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
