package import LMDBShare

/// The differences between two databases of any programs, by their bytes.
///
/// Both are walked in the order that LMDB uses according to their flags. A custom order of a program is not known; differences
/// are then reported as removals and insertions.
package enum RawDifference {
  package typealias Side = (core: Transaction, database: Opened.NamedDatabase?)

  /// - Parameter except: The names of databases, which are not entries of the unnamed one.
  package static func walk(
    _ old: Side, _ new: Side, except: Set<String>, _ body: (Difference.Entry) throws -> Void
  ) throws {
    let layout = (new.database ?? old.database)?.layout ?? []
    let isSame = old.database?.layout == new.database?.layout
    try with(old, except) { first in
      try with(new, except) { second in
        while first.current != nil || second.current != nil {
          let order: Int
          switch (first.current, second.current) {
          case (let a?, let b?): order = isSame ? compare(a, b, layout) : -1
          case (nil, _): order = 1
          default: order = -1
          }
          if order < 0, let a = first.current {
            try body(.keyed(.removed, a.key, old: a.value))
            first.advance()
          } else if order > 0, let b = second.current {
            try body(.keyed(.inserted, b.key, new: b.value))
            second.advance()
          } else if let a = first.current, let b = second.current {
            if a.value != b.value { try body(.keyed(.updated, a.key, old: a.value, new: b.value)) }
            first.advance()
            second.advance()
          }
        }
      }
    }
  }

  private struct Pair {
    var key: [UInt8]
    var value: [UInt8]
  }

  /// A walk over entries.
  private final class Walk {
    private let cursor: Cursor?
    private let except: Set<String>
    private(set) var current: Pair?

    package init(_ cursor: Cursor?, _ except: Set<String>) {
      self.cursor = cursor
      self.except = except
      current = nil
      take(cursor?.move(.first) ?? false)
    }

    func advance() { take(cursor?.move(.next) ?? false) }

    private func take(_ isThere: Bool) {
      var isThere = isThere
      while isThere, let cursor {
        if !(cursor.key.utf8String().map(except.contains) ?? false) {
          current = Pair(key: cursor.key.copied(), value: cursor.value.copied())
          return
        }
        isThere = cursor.move(.next)
      }
      current = nil
    }
  }

  private static func with(_ side: Side, _ except: Set<String>, _ body: (Walk) throws -> Void) throws {
    guard let database = side.database else { return try body(Walk(nil, [])) }
    guard let name = database.name else { return try body(Walk(Cursor(side.core, Database.main), except)) }
    try side.core.withDatabase(name) { number in try body(Walk(Cursor(side.core, number), [])) }
  }

  private static func compare(_ a: Pair, _ b: Pair, _ layout: DatabaseLayout) -> Int {
    let order = compare(
      a.key, b.key, isInteger: layout.contains(.integerKeys), isReversed: layout.contains(.reverseKeys))
    guard order == 0, layout.contains(.duplicates) else { return order }
    return compare(
      a.value, b.value, isInteger: layout.contains(.integerDuplicates),
      isReversed: layout.contains(.reverseDuplicates))
  }

  private static func compare(_ a: [UInt8], _ b: [UInt8], isInteger: Bool, isReversed: Bool) -> Int {
    // Integers are stored least significant byte first.
    let (a, b) = isInteger || isReversed ? (a.reversed(), b.reversed()) : (a, b)
    if isInteger, a.count != b.count { return a.count - b.count }
    return a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
  }
}
