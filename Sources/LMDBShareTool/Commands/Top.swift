#if CommandLineTools
  import ArgumentParser
  import _LMDBShareSystem
  import LMDBShare
  import LMDBShareOperations

  struct Top: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the activity of a store live: commits, readers, queues, size.",
      discussion: """
        Needs a terminal. Press q to quit.

        Example:
          lmdbshare top team.lmdb --interval 0.5
        """)

    @OptionGroup var store: StoreArgument
    @Option(help: ArgumentHelp("The time between updates.", valueName: "time"))
    var interval = TimeSpan(.seconds(1))

    func validate() throws {
      if interval.duration < .milliseconds(50) { throw ValidationError("--interval must be 50ms or longer.") }
    }

    func run() throws {
      let file = try Opened(store)
      guard Stream.output.isTerminal, lms_terminal_enter() else {
        throw Problem("top needs a terminal; use info, readers, leases or watch", .misuse)
      }
      defer { lms_terminal_leave() }
      var screen = Screen(path: store.path)
      while true {
        try screen.draw(file)
        let until = ContinuousClock.now + interval.duration
        while until > .now {
          let left = ContinuousClock.now.duration(to: until).components
          let key = lms_terminal_key(Int32(left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1))
          if key == 0x71 || key == 0x51 || key == 3 || key < 0 || lms_caught_signal() != 0 { return }
        }
      }
    }
  }

  /// The lines that `top` shows, and those that it showed before.
  private struct Screen {
    private let path: String
    private let style = FormatOption.terminalStyle
    private var commits = History()
    private var used = History()
    private var free = History()
    private var queues: [String: History] = [:]
    private var last: (transaction: Int, time: ContinuousClock.Instant)?

    init(path: String) { self.path = path }

    mutating func draw(_ file: Opened) throws {
      let numbers = try file.statistics()
      let now = ContinuousClock.now
      var rate = 0.0
      if let last {
        let time = last.time.duration(to: now).components
        let seconds = Double(time.seconds) + Double(time.attoseconds) / 1e18
        rate = (Double(numbers.lastTransaction) - Double(last.transaction)) / max(seconds, 0.001)
        commits.add(rate)
      }
      last = (numbers.lastTransaction, now)
      used.add(Double(numbers.usedBytes))
      free.add(Double(numbers.freePages))
      var lines = [
        style.bold(Printable.text(path))
          + "  transaction \(numbers.lastTransaction), \(numbers.structures.count) structures",
        "",
        row("commits/s", String(Int(exactly: rate.rounded()) ?? 0), commits),
        row("used", Size.text(numbers.usedBytes), used),
        row("free pages", "\(numbers.freePages) of \(numbers.pages)", free),
      ]
      // Lines are cut to the width of the screen.
      if let space = FreeSpace(numbers) { lines += [space.text, space.cure].map { style.warning($0) } }
      lines += try readers(file, numbers)
      if let store = file.store { lines += try queueLines(store) }
      show(lines)
    }

    private func row(_ title: String, _ value: String, _ history: History) -> String {
      let title = title + String(repeating: " ", count: max(0, 12 - Printable.width(title)))
      let value = String(repeating: " ", count: max(0, 16 - Printable.width(value))) + value
      return "\(style.faint(title))\(value)  \(history.sparkline)"
    }

    private func readers(_ file: Opened, _ numbers: StoreStatistics) throws -> [String] {
      let pins = try file.pins()
      let active = numbers.others.filter { $0.snapshotID != nil }.sorted { $0.lag ?? 0 > $1.lag ?? 0 }
      var lines = ["", style.faint("readers      pid       behind       age      pins  command")]
      if active.isEmpty { lines.append("             none") }
      for reader in active.prefix(10) {
        let cells = [
          ("\(reader.processID)", 8), ("\(reader.lag ?? 0)", 9), (reader.age.map { Size.text($0) } ?? "", 10),
          ("\(pins.pages(heldBy: reader.snapshotID ?? 0))", 10),
        ].map { text, width in String(repeating: " ", count: max(0, width - Printable.width(text))) + text }
        let command = Processes.command(reader.processID).map { Printable.text($0) } ?? ""
        lines.append("        " + cells.joined() + "  " + command)
      }
      for snapshot in OldSnapshot.all(numbers, pins).prefix(3) {
        let text = "reader \(snapshot.reader.processID): \(snapshot.text(pageSize: numbers.pageSize))"
        lines.append(style.warning(text))
      }
      return lines
    }

    private mutating func queueLines(_ store: SharedStore) throws -> [String] {
      var lines: [String] = []
      for description in try store.structures() where description.kind == .queue {
        guard let statistics = try? store.untypedQueue(description.name).statistics() else { continue }
        if lines.isEmpty { lines = ["", style.faint("queues          ready    leased   delayed      dead")] }
        queues[description.name, default: History()].add(Double(statistics.ready))
        let cells = [statistics.ready, statistics.leases.count, statistics.delayed, statistics.dead].map { number in
          String(repeating: " ", count: max(0, 10 - String(number).count)) + String(number)
        }
        let name = Printable.cut(Printable.text(description.name), to: 11)
        let padding = String(repeating: " ", count: max(0, 11 - Printable.width(name)))
        lines.append(name + padding + cells.joined() + "  " + (queues[description.name]?.sparkline ?? ""))
      }
      return lines
    }

    /// Overwrites the previous lines without flicker.
    private func show(_ lines: [String]) {
      let rows = Int(lms_terminal_rows(Stream.output.number))
      let columns = Int(lms_terminal_columns(Stream.output.number))
      var text = "\u{1B}[H"
      for line in lines.prefix(max(1, rows - 1)) { text += Screen.cut(line, columns) + "\u{1B}[0m\u{1B}[K\r\n" }
      text += "\u{1B}[J"
      _ = Stream.output.write(Array(text.utf8))
    }

    /// A line cut to a width; escape sequences for colours take no columns.
    private static func cut(_ line: String, _ columns: Int) -> String {
      var (taken, result, isEscape) = (0, "", false)
      for character in line {
        if character == "\u{1B}" { isEscape = true }
        if !isEscape {
          taken += Printable.width(String(character))
          if taken > columns { break }
        }
        result.append(character)
        if isEscape, character == "m" { isEscape = false }
      }
      return result
    }
  }

  /// The last values of a number, for a small graph.
  private struct History {
    private var values: [Double] = []
    private static let most = 40

    mutating func add(_ value: Double) {
      values.append(value)
      if values.count > Self.most { values.removeFirst() }
    }

    var sparkline: String {
      let bars = Array("▁▂▃▄▅▆▇█")
      guard let greatest = values.max(), let least = values.min() else { return "" }
      let bottom = least == greatest ? 0 : min(least, greatest)
      guard greatest > bottom else { return String(repeating: "▁", count: values.count) }
      return String(values.map { bars[Int((($0 - bottom) / (greatest - bottom) * 7).rounded())] })
    }
  }
#endif
