#if CommandLineTools
  import ArgumentParser

  /// A duration as a person writes it: `10`, `0.5`, `250ms`, `10s`, `2m`, `1h` or `1d`; a number without a unit means seconds.
  struct TimeSpan: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
      let unit = argument.drop { $0.isNumber || $0 == "." || $0 == "e" || $0 == "-" || $0 == "+" }
      let factors = ["": 1, "ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400]
      guard let factor = factors[String(unit)], let number = Double(argument[..<unit.startIndex]),
        0..<1e9 ~= number * factor
      else { return nil }
      duration = .seconds(number * factor)
    }

    var defaultValueDescription: String { "\(duration.components.seconds)" }
  }

  /// The maximum time to wait; `none` for no limit.
  struct TimeLimit: ExpressibleByArgument {
    /// Nil for no limit.
    let duration: Duration?

    /// The limit if none is given.
    static let usual = TimeLimit(.seconds(10))

    init(_ duration: Duration?) { self.duration = duration }

    init?(argument: String) {
      if ["none", "never", "unlimited", "inf"].contains(argument) {
        duration = nil
      } else if let span = TimeSpan(argument: argument) {
        duration = span.duration
      } else {
        return nil
      }
    }

    /// The end of a wait that begins now; nil for no limit.
    var deadline: ContinuousClock.Instant? { duration.map { .now + $0 } }
  }
#endif
