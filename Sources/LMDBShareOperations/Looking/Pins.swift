package import LMDBShare

/// The pages that were freed by each transaction: a snapshot keeps those that were freed after it.
package struct Pins {
  private let freed: [(transaction: Int, pages: Int)]

  package init(_ core: Transaction) {
    var freed: [(Int, Int)] = []
    let cursor = Cursor(core, Database.freeList)
    var isThere = cursor.move(.first)
    while isThere {
      let pages = cursor.value.littleEndian(at: 0, UInt64.self) ?? 0
      if let transaction = cursor.key.littleEndian(UInt64.self) {
        freed.append((Int(clamping: transaction), Int(clamping: pages)))
      }
      isThere = cursor.move(.next)
    }
    self.freed = freed
  }

  package func pages(heldBy snapshot: Int) -> Int {
    freed.lazy.filter { $0.transaction > snapshot }.map { $0.pages }.boundedSum()
  }
}

/// A snapshot of another process that makes the file grow: it is out of date, and keeps pages from being reused.
package struct OldSnapshot {
  package let reader: StoreStatistics.Reader
  package let pages: Int

  /// Fewer pages are not reported.
  private static let few = 100
  /// A larger share of the file than one in this many is always reported: under load a file grows by gigabytes in seconds.
  private static let share = 4
  private static let many = 64 << 20
  /// Younger snapshots are not reported.
  private static let usualAge = Duration.seconds(60)
  /// The equivalent number of transactions, if the age is not known.
  private static let usualLag = 128

  /// The snapshots that deserve a warning, the one that keeps most pages first.
  package static func all(_ numbers: StoreStatistics, _ pins: Pins) -> [OldSnapshot] {
    numbers.others.compactMap { reader -> OldSnapshot? in
      guard let snapshot = reader.snapshotID, Processes.isAlive(reader.processID) else { return nil }
      let pages = pins.pages(heldBy: snapshot)
      let isOld = reader.age.map { $0 > usualAge } ?? (reader.lag ?? 0 > usualLag)
      let bytes = pages.bounded(times: numbers.pageSize)
      let isLarge = bytes > many && bytes > numbers.fileBytes / share
      return pages > few && (isOld || isLarge) ? OldSnapshot(reader: reader, pages: pages) : nil
    }.sorted { $0.pages > $1.pages }
  }

  /// A description of the problem.
  package func text(pageSize: Int) -> String {
    let age = reader.age.map { " for \(Size.text($0))" } ?? ""
    let program = Processes.command(reader.processID).map { " (\(Printable.text($0)))" } ?? ""
    return "its snapshot\(program) has been out of date\(age), is \(counted(reader.lag ?? 0, "transaction")) behind, "
      + "and keeps \(pages) pages (\(Size.text(pages.bounded(times: pageSize)))) from being reused"
  }
}

extension Opened {
  package func pins() throws -> Pins { try reading { Pins($0) } }
}
