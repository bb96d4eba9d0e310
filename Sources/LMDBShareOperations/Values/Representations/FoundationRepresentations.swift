import LMDBShare

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension UUID: JSONText {
  static var title: String { "uuid" }
  var jsonText: String { uuidString }
  static func value(_ text: String) -> UUID? { UUID(uuidString: text) }
}

/// A date's text, or a number of seconds for one that needs more than 9 decimals.
extension Date: JSONScalar {
  static var title: String { "date (as 2026-01-31T12:00:00Z)" }

  func write(as json: inout JSONWriter) {
    let seconds = timeIntervalSinceReferenceDate
    if let text = DateText.exact(seconds) { json.plain(text) } else { json.float(seconds) }
  }

  @_lifetime(json: copy json)
  static func read(_ json: inout JSONReader) throws(ValueProblem) -> Date {
    guard try json.kind() == .string else { return Date(timeIntervalSinceReferenceDate: try Double.read(&json)) }
    let text = try json.string()
    guard let seconds = DateText.seconds(text) ?? FloatText.value(text, Double.self) else {
      throw json.problem("no date")
    }
    return Date(timeIntervalSinceReferenceDate: seconds)
  }

  static func isString(argument: String) -> Bool { Double(argument).map { !$0.isFinite } ?? true }
}
