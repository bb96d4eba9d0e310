import LMDBShare

/// Statistics as text for people.
struct Report {
  let text: String

  init(_ statistics: StoreStatistics) {
    var lines = [
      "used        \(Report.size(statistics.usedBytes))",
      "file        \(Report.size(statistics.fileBytes)), \(Report.size(statistics.allocatedBytes)) on disk",
      "reserved    \(Report.size(statistics.reservedBytes)) of address space",
      "pages       \(statistics.pages) of \(statistics.pageSize) bytes, \(statistics.freePages) of them free",
      "transaction \(statistics.lastTransaction)",
      "",
    ]
    var rows = [["name", "what", "entries", "depth", "pages"]]
    for structure in statistics.structures {
      let pages = structure.branchPages + structure.leafPages + structure.overflowPages
      rows.append([
        Report.printable(structure.description.name), structure.description.description, String(structure.entries),
        String(structure.depth), String(pages),
      ])
    }
    lines += Report.table(rows, rightAligned: [2, 3, 4])
    let active = statistics.readers.filter { $0.snapshotID != nil }
    lines += [
      "", "readers     \(active.count) reading, \(statistics.readers.count) of \(statistics.maximumReaders) slots",
    ]
    for reader in active {
      let age = reader.age.map { ", out of date for \($0)" } ?? ""
      lines.append("  pid \(reader.processID), \(reader.lag ?? 0) transactions behind\(age)")
    }
    text = lines.joined(separator: "\n")
  }

  /// Names come from others: control characters must not reach the terminal.
  private static func printable(_ name: String) -> String {
    String(name.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : Character($0) })
  }

  private static func table(_ rows: [[String]], rightAligned: Set<Int>) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return rightAligned.contains(column) ? padding + row[column] : row[column] + padding
      }
      return cells.joined(separator: "  ")
    }
  }

  private static func size(_ bytes: Int) -> String {
    var (value, unit) = (Double(bytes), 0)
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(bytes) bytes" : "\((value * 10).rounded() / 10) \(units[unit])"
  }
}
