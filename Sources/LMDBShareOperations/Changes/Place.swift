package import LMDBShare

/// One entry of a structure, as a command names it.
package enum Place {
  case value
  case position(Int)
  case key([UInt8], text: String)

  package init(_ argument: String?, in description: StructureDescription) throws {
    let name = Printable.text(description.name)
    switch description.kind.shape {
    case .sequence:
      guard let argument, let position = Int(argument) else {
        throw Misuse(
          "'\(name)' is \(description.kind.withArticle): give a position, from 0, or -1 for the last.")
      }
      self = .position(position)
    case .map:
      guard let argument else { throw Misuse("'\(name)' is \(description.kind.withArticle): give a key.") }
      self = .key(try Types(description).key!.encode(argument: argument, isKey: true), text: argument)
    case .queue: throw Misuse("'\(name)' is a queue: use push, pop and peek.")
    case .cell:
      guard argument == nil else {
        throw Misuse("'\(name)' is \(description.kind.withArticle): it has no keys.")
      }
      self = .value
    }
  }

  /// The entries that arguments name; without arguments, the entry of a structure that has only one.
  package static func all(_ arguments: [String], in description: StructureDescription) throws -> [Place] {
    if arguments.isEmpty { return [try Place(nil, in: description)] }
    return try arguments.map { try Place($0, in: description) }
  }

  /// The position from the front; nil when there is no such position.
  static func resolve(_ position: Int, count: Int) -> Int? {
    let resolved = position < 0 ? count + position : position
    return 0..<count ~= resolved ? resolved : nil
  }

  /// The bytes at this place; nil when there are none.
  package func bytes(in contents: UntypedContents) throws -> [UInt8]? {
    switch self {
    case .value: return contents.value { $0.copied() }
    case .key(let key, _): return contents.value(forKey: key) { $0.copied() }
    case .position(let position):
      guard let position = Place.resolve(position, count: contents.count) else { return nil }
      var found: [UInt8]?
      try contents.walk(position..<position + 1) { _, bytes in
        found = bytes.copied()
        return false
      }
      return found
    }
  }

  /// The error when there is no entry at this place.
  package func missing(in description: StructureDescription) -> Problem {
    let name = "'\(Printable.text(description.name))'"
    return switch self {
    case .value: Problem("\(name) has no value", .notFound)
    case .position(let position): Problem("\(name) has no element \(position)", .notFound)
    case .key(_, let text): Problem("\(name) has no key \(Printable.text(text, limit: 200))", .notFound)
    }
  }
}
