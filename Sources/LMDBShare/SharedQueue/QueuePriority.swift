/// How soon an item of a queue is taken: those of a higher priority before all of a lower one.
///
/// There are eight levels, of which 0 comes first; four have names.
public struct QueuePriority: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// How many there are.
  @usableFromInline static let levels = 8
  /// 0, which is taken first, to 7.
  public let level: Int

  private init(known level: Int) { self.level = level }

  /// The priority of that level, or nil when it is not from 0 to 7.
  public init?(level: Int) {
    guard 0..<Self.levels ~= level else { return nil }
    self.level = level
  }

  /// Before everything else: level 0.
  public static let urgent = QueuePriority(known: 0)
  /// Before what is normal: level 2.
  public static let high = QueuePriority(known: 2)
  /// What items have unless told otherwise: level 4.
  public static let normal = QueuePriority(known: 4)
  /// After what is normal: level 6.
  public static let low = QueuePriority(known: 6)

  /// Whether `a` is taken after `b`.
  public static func < (a: Self, b: Self) -> Bool { a.level > b.level }

  /// For example `level 4`.
  public var description: String { "level \(level)" }
}
