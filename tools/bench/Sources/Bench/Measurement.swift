/// A measurement: nanoseconds per operation of the library and of the same work in C, and the target.
struct Measurement {
  let name: String
  let ours: Double
  let floor: Double?
  /// The median of the rounds' ratios.
  let ratio: Double?
  let target: Target

  enum Target {
    case ratio(Double)
    case bytes(Double)
  }

  var isMet: Bool {
    switch target {
    case .ratio(let most): (ratio ?? .infinity) <= most
    case .bytes(let most): ours <= most
    }
  }

  /// Runs both in turn, and takes medians. The order changes with each round, so that a change of the machine's speed affects
  /// both. The first round does not count.
  ///
  /// - Parameters:
  ///   - operations: The number of operations of one call.
  ///   - ours, floor: Return the nanoseconds of one call.
  static func compare(
    _ name: String, rounds: Int, operations: Int, target: Target, ours: () throws -> Double, floor: () -> Double
  ) rethrows -> Measurement {
    var mine: [Double] = []
    var theirs: [Double] = []
    for round in 0...rounds {
      let first = round % 2 == 0 ? nil : floor()
      let own = try ours()
      let other = first ?? floor()
      guard round > 0 else { continue }
      mine.append(own / Double(operations))
      theirs.append(other / Double(operations))
    }
    return Measurement(
      name: name, ours: median(mine), floor: median(theirs), ratio: median(zip(mine, theirs).map { $0 / $1 }),
      target: target)
  }

  static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  var promise: String {
    switch target {
    case .ratio(let most): "≤ \(Self.fine(most)) × C"
    case .bytes(let most): "≤ \(Self.number(most)) bytes"
    }
  }

  var row: [String] {
    let unit = if case .bytes = target { "bytes" } else { "ns" }
    return [
      name, "\(Self.fine(ours)) \(unit)", floor.map { "\(Self.number($0)) ns" } ?? "", ratio.map(Self.fine) ?? "",
      promise, isMet ? "met" : "MISSED",
    ]
  }

  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return value >= 100 ? "\(Int(value.rounded()))" : "\(tenths / 10).\(tenths % 10)"
  }

  private static func fine(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
  }
}

/// The duration of a call.
func nanoseconds(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let taken = try clock.measure(body)
  return Double(taken.components.seconds) * 1e9 + Double(taken.components.attoseconds) / 1e9
}
