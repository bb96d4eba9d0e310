/// A figure of ours, nanoseconds an operation, beside the same work in C where there is one, and what is promised.
struct Measurement {
  let name: String
  let ours: Double
  let floor: Double?
  /// The ratio of each round, median.
  let ratio: Double?
  let target: Target

  enum Target {
    case ratio(Double)
    case nanoseconds(Double)
    case bytes(Double)
  }

  var isMet: Bool {
    switch target {
    case .ratio(let most): (ratio ?? .infinity) <= most
    case .nanoseconds(let most), .bytes(let most): ours <= most
    }
  }

  /// Runs both in turn, and takes medians.
  ///
  /// - Parameters:
  ///   - operations: How many operations one call does.
  ///   - ours, floor: Return the nanoseconds of one call.
  static func compare(
    _ name: String, rounds: Int, operations: Int, target: Target, ours: () throws -> Double,
    floor: (() -> Double)? = nil
  ) rethrows -> Measurement {
    _ = try ours()
    _ = floor?()
    var mine: [Double] = []
    var theirs: [Double] = []
    for _ in 0..<rounds {
      mine.append(try ours() / Double(operations))
      if let floor { theirs.append(floor() / Double(operations)) }
    }
    let ratio = theirs.isEmpty ? nil : median(zip(mine, theirs).map { $0 / $1 })
    return Measurement(
      name: name, ours: median(mine), floor: theirs.isEmpty ? nil : median(theirs), ratio: ratio, target: target)
  }

  static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  var row: [String] {
    func number(_ value: Double) -> String {
      let tenths = Int((value * 10).rounded())
      return value >= 100 ? "\(Int(value.rounded()))" : "\(tenths / 10).\(tenths % 10)"
    }
    func fine(_ value: Double) -> String {
      let hundredths = Int((value * 100).rounded())
      return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
    let (unit, promise): (String, String) =
      switch target {
      case .ratio(let most): ("ns", "≤ \(fine(most)) × C")
      case .nanoseconds(let most): ("ns", "≤ \(number(most)) ns")
      case .bytes(let most): ("bytes", "≤ \(number(most)) bytes")
      }
    return [
      name, "\(fine(ours)) \(unit)", floor.map { "\(number($0)) ns" } ?? "", ratio.map { fine($0) } ?? "", promise,
      isMet ? "met" : "MISSED",
    ]
  }
}

/// How long a call takes.
func nanoseconds(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let taken = try clock.measure(body)
  return Double(taken.components.seconds) * 1e9 + Double(taken.components.attoseconds) / 1e9
}
