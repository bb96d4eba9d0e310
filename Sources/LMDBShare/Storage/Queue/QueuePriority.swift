/// The priority of an item of a queue; items of a higher priority are taken before all items of a lower one.
///
/// There are eight levels. Level 0 comes first. Four levels have names.
public struct QueuePriority: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number of levels.
  @usableFromInline static let levels = 8
  /// The level, from 0 (taken first) to 7.
  public let level: Int

  private init(known level: Int) { self.level = level }

  /// Creates the priority of a level; nil when it is not from 0 to 7.
  public init?(level: Int) {
    guard 0..<Self.levels ~= level else { return nil }
    self.level = level
  }

  /// The highest priority, level 0.
  public static let urgent = QueuePriority(known: 0)
  /// A priority above normal, level 2.
  public static let high = QueuePriority(known: 2)
  /// The default priority, level 4.
  public static let normal = QueuePriority(known: 4)
  /// A priority below normal, level 6.
  public static let low = QueuePriority(known: 6)

  /// Returns whether items of priority `a` are taken after those of `b`.
  public static func < (a: Self, b: Self) -> Bool { a.level > b.level }

  /// For example `level 4`.
  public var description: String { "level \(level)" }
}
