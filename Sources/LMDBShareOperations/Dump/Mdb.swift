package import LMDBShare

// The format of `mdb_dump` and `mdb_load`, which contains databases and bytes: a header of NAME=VALUE lines for each database,
// then lines with a space and hexadecimal digits, keys and values alternating, then DATA=END.

package enum Mdb {
  private static let flags: [(name: String, layout: DatabaseLayout)] = [
    ("reversekey", .reverseKeys), ("duplicates", .duplicates), ("dupsort", .duplicates), ("integerkey", .integerKeys),
    ("dupfixed", .fixedDuplicates), ("integerdup", .integerDuplicates), ("reversedup", .reverseDuplicates),
  ]

  /// Writes databases, including the unnamed one if it holds more than the named ones.
  ///
  /// - Parameter names: The names of all named databases, which are not entries of the unnamed one.
  package static func dump(
    _ databases: [Opened.NamedDatabase], named names: Set<String>, _ file: Opened, to output: inout Output
  ) throws {
    var progress = Progress("entries", of: databases.map(\.tree.entries).boundedSum())
    var done = 0
    try file.reading { core in
      for database in databases {
        if database.name == nil, database.tree.entries == names.count { continue }
        try head(database, file, to: &output)
        let before = done
        func walk(_ number: Database) throws {
          let cursor = Cursor(core, number)
          var isThere = cursor.move(.first)
          while isThere {
            guard cursor.key.byteCount > 0, done - before < database.tree.entries else { break }
            if database.name != nil || !(cursor.key.utf8String().map(names.contains) ?? false) {
              try output.hexadecimal(cursor.key)
              try output.hexadecimal(cursor.value)
            }
            done += 1
            progress.update(done)
            isThere = cursor.move(.next)
          }
          guard !isThere, done - before == database.tree.entries else {
            throw Problem(
              "\(database.name.map { "database '\(Printable.text($0))'" } ?? "the main database") is damaged: it counts \(database.tree.entries) entries and holds others; restore a backup",
              .damage)
          }
        }
        if let name = database.name { try core.withDatabase(name, walk) } else { try walk(Database.main) }
        try output.line("DATA=END")
      }
    }
    progress.end()
    try output.flush()
  }

  private static func head(_ database: Opened.NamedDatabase, _ file: Opened, to output: inout Output) throws {
    try output.line("VERSION=3\nformat=bytevalue")
    if let name = database.name {
      guard !name.utf8.contains(0x0A) else {
        throw Problem("the name of database \(Printable.text(name)) has a line end, which this format cannot tell")
      }
      let isHarmless = withUTF8(of: name) { Printable.isSafe($0) }
      guard isHarmless || !Stream.output.isTerminal else {
        throw Problem("the name of database \(Printable.text(name)) may harm a terminal: send the dump to a file")
      }
      try output.line("database=\(name)")
    }
    try output.line("type=btree\nmapsize=\(file.environment.mapSize)\nmaxreaders=\(file.environment.readerCapacity)")
    for flag in flags where database.layout.contains(flag.layout) { try output.line("\(flag.name)=1") }
    try output.line("db_pagesize=\(file.environment.pageBytes)\nHEADER=END")
  }

  /// Reads databases into a new environment.
  ///
  /// - Returns: The numbers of databases and entries.
  package static func load(
    _ input: Stream, _ core: Transaction, _ environment: Environment
  ) throws -> (databases: Int, entries: Int) {
    var lines = Lines(input)
    return try load(&lines, core, environment)
  }

  private static func load(
    _ lines: inout Lines, _ core: Transaction, _ environment: Environment
  ) throws -> (databases: Int, entries: Int) {
    var (databases, entries) = (0, 0)
    while let first = try lines.next() {
      guard first.elementsEqual("VERSION=3".utf8) else {
        throw problem(lines, "VERSION=3 expected: this is not the output of mdb_dump")
      }
      let (name, layout, isPrintable) = try header(&lines)
      var number = Database.main
      if let name {
        if try !core.createDatabase(name, layout), try core.layout(named: name) != layout {
          throw problem(lines, "there is an entry of that name already, and it is not such a database")
        }
        number = environment.number(name)
      }
      databases += 1
      while true {
        guard let line = try lines.next() else { throw problem(lines, "the input ends before DATA=END") }
        if line.elementsEqual("DATA=END".utf8) { break }
        let key = try bytes(line, isPrintable, lines)
        guard let line = try lines.next() else { throw problem(lines, "a key without a value") }
        let value = try bytes(line, isPrintable, lines)
        withBytes(of: key) { key in
          withBytes(of: value) {
            _ = core.put(number, key, $0, layout.contains(.duplicates) ? .replace : .likelyLast)
          }
        }
        if let failure = core.failure { throw problem(lines, Printable.text(failure.description)) }
        entries += 1
      }
    }
    guard databases > 0 else { throw Problem("the input is empty: this is not a dump") }
    return (databases, entries)
  }

  private static func header(
    _ lines: inout Lines
  ) throws -> (name: String?, layout: DatabaseLayout, isPrintable: Bool) {
    var name: String?
    var layout: DatabaseLayout = []
    var isPrintable = false
    while let line = try lines.next() {
      let text = String(decoding: line, as: UTF8.self)
      if text == "HEADER=END" { return (name, layout, isPrintable) }
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw problem(lines, "NAME=VALUE expected") }
      switch parts[0] {
      case "database": name = String(parts[1])
      case "format":
        guard parts[1] == "bytevalue" || parts[1] == "print" else { throw problem(lines, "an unknown format") }
        isPrintable = parts[1] == "print"
      default:
        if let flag = flags.first(where: { $0.name == parts[0] }), parts[1] == "1" { layout.insert(flag.layout) }
      }
    }
    throw problem(lines, "the input ends before HEADER=END")
  }

  private static func bytes(_ line: [UInt8], _ isPrintable: Bool, _ lines: borrowing Lines) throws -> [UInt8] {
    guard line.first == 0x20 else { throw problem(lines, "a space expected, and then bytes") }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(line.count / 2)
    var index = 1
    while index < line.count {
      if isPrintable, line[index] != UInt8(ascii: "\\") {
        bytes.append(line[index])
        index += 1
        continue
      }
      if isPrintable, index + 1 < line.count, line[index + 1] == UInt8(ascii: "\\") {
        bytes.append(UInt8(ascii: "\\"))
        index += 2
        continue
      }
      if isPrintable { index += 1 }
      guard index + 1 < line.count, let high = digit(line[index]), let low = digit(line[index + 1]) else {
        throw problem(lines, "pairs of hexadecimal digits expected")
      }
      bytes.append(high << 4 | low)
      index += 2
    }
    return bytes
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x61 + 10
    case 0x41...0x46: byte - 0x41 + 10
    default: nil
    }
  }

  private static func problem(_ lines: borrowing Lines, _ text: String) -> Problem {
    Problem("line \(lines.number): \(text); nothing was loaded")
  }
}

extension Output {
  /// A line with a space and the bytes as hexadecimal digits.
  fileprivate mutating func hexadecimal(_ bytes: RawSpan) throws {
    let digits: [16 of UInt8] = [
      0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
    ]
    var line: [UInt8] = [0x20]
    line.reserveCapacity(2 + 2 * bytes.byteCount)
    for index in 0..<bytes.byteCount {
      let byte = bytes.byte(at: index)
      line.append(digits[Int(byte >> 4)])
      line.append(digits[Int(byte & 0xF)])
    }
    try self.line(bytes: line)
  }
}
