/// The catalogue's description of a structure.
public struct StructureDescription: Hashable, Sendable, CustomStringConvertible {
  /// The kinds of structures.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// One value.
    case value
    /// Elements by position.
    case list
    /// Values by key, in the keys' order.
    case dictionary
    /// Distinct elements in order.
    case set
    /// A fixed number of elements of a fixed size.
    case array
    /// Items, first in, first out.
    case queue
    /// A mutex: one thread or task at a time holds it.
    case lock
    /// A counting semaphore: a fixed number of threads and tasks hold a permit.
    case semaphore
    /// A flag that is set or not.
    case event
    /// A place where a fixed number of parties wait for each other.
    case barrier

    /// The shape in which it is stored.
    package var shape: Shape {
      switch self {
      case .value, .lock, .semaphore, .event, .barrier: .cell
      case .list, .array: .sequence
      case .dictionary, .set: .map
      case .queue: .queue
      }
    }

    /// Whether its entries have values: those of a set have none, and are stored with the representation `nothing`.
    package var hasValues: Bool { self != .set }

    /// Whether it is stored in the database of all values, under its name.
    var liesAmongValues: Bool { shape == .cell }
  }

  /// The shapes in which structures are stored: there are more kinds of structures than shapes.
  package enum Shape: Sendable {
    /// One value, under the structure's name in the database of all values.
    case cell
    /// Elements by position, in a separate database.
    case sequence
    /// Values by key, in a separate database.
    case map
    /// Items with their states, in a separate database.
    case queue
  }

  /// How the elements of a list or array are stored in its database.
  public enum Layout: String, Hashable, Sendable {
    /// One element under each key: lists of elements of any size that older programs made.
    case indexed
    /// Elements of any size side by side in blocks.
    case slotted
    /// Elements of fixed size side by side in blocks; in queues, items that were pushed together in one record.
    case packed
  }

  /// The structure's name.
  public package(set) var name: String
  /// The structure's kind.
  public let kind: Kind
  /// How the elements of a list, array or queue are stored.
  public package(set) var layout: Layout?
  /// The representation of a dictionary's keys.
  public let key: String?
  /// The representation of the values or elements.
  public package(set) var element: String
  /// Other representations of the elements that a request accepts; empty in descriptions of the catalogue.
  var otherElements: [String] = []
  /// The number of bytes of each packed element.
  public package(set) var elementSize: Int?
  /// The number of elements of an array, of permits of a semaphore, or of parties of a barrier.
  public let count: Int?
  /// The index of a lock's record in the `owners` file.
  var index: UInt64?
  /// All indices are less, so that the offset of a record is one that a file can have.
  static let indexLimit: UInt64 = 1 << 40
  /// The maximum number of elements of a list, or of items of a queue; nil for no limit.
  public package(set) var maximumCount: Int?
  /// The number of times that an item of a queue may be leased before it becomes a dead letter; nil for no limit.
  public package(set) var maximumAttempts: Int?
  /// A random number, which distinguishes the structure from another one that was created later under the same name.
  public package(set) var identity: UInt64 = 0

  package init(
    _ name: String, _ kind: Kind, layout: Layout? = nil, key: String? = nil, element: String, count: Int? = nil,
    maximumCount: Int? = nil
  ) {
    self.name = name
    self.kind = kind
    self.layout = layout
    self.key = key
    self.element = element
    self.count = count
    self.maximumCount = maximumCount
  }

  /// A request for a structure whose elements have one of some representations; a new one gets the first.
  init(
    _ name: String, _ kind: Kind, layout: Layout? = nil, key: String? = nil, elements: [String],
    maximumCount: Int? = nil
  ) {
    self.init(name, kind, layout: layout, key: key, element: elements[0], maximumCount: maximumCount)
    otherElements = Array(elements.dropFirst())
  }

  /// The description as text, for example `list of string (slotted)`.
  public var description: String {
    switch kind {
    case .lock, .event: return kind.rawValue
    case .semaphore: return "semaphore (\(count ?? 0) permits)"
    case .barrier: return "barrier (\(count ?? 0) parties)"
    default: break
    }
    let types = key.map { kind.hasValues ? "\($0) to \(element)" : "of \($0)" } ?? "of \(element)"
    let shape = [
      layout?.rawValue, count.map { "\($0) elements" }, maximumCount.map { "at most \($0)" },
      maximumAttempts.map { "\($0) attempts" },
    ].compactMap(
      \.self
    ).joined(separator: ", ")
    return "\(kind.rawValue) \(types)\(shape.isEmpty ? "" : " (\(shape))")"
  }

  /// The description without the structure's name, identity and index. Structures of the same form hold the same kind of contents
  /// with the same limits.
  package var form: StructureDescription {
    var form = self
    (form.name, form.identity, form.index) = ("", 0, nil)
    return form
  }

  /// Whether it matches the requested description, ignoring name and identity. A request without a maximum matches any.
  func matches(_ other: StructureDescription) -> Bool {
    kind == other.kind && hasLayout(of: other) && elementSize == other.elementSize && key == other.key
      && form(among: other) != nil && count == other.count
      && (other.maximumCount == nil || maximumCount == other.maximumCount)
      && (other.maximumAttempts == nil || maximumAttempts == other.maximumAttempts)
  }

  /// Checks that the representations of a type differ.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` when the type has the name and version of its earlier version.
  func checkNames(_ identifiers: [String]) throws(StoreError) {
    guard Set(identifiers).count < identifiers.count else { return }
    throw StoreError(
      .typeMismatch, "open", structure: name,
      reason: "the type and its earlier version have the same representation \(identifiers[0])",
      advice: "count up its storageVersion")
  }

  /// The index of its elements' representation among those of a request; nil when it has another one.
  func form(among request: StructureDescription) -> Int? {
    if element == request.element { return 0 }
    return request.otherElements.firstIndex(of: element).map { $0 + 1 }
  }

  /// Whether the layouts are the same, or both those of lists of elements of any size.
  package func hasLayout(of other: StructureDescription) -> Bool {
    layout == other.layout || layout == .indexed && other.layout == .slotted
      || layout == .slotted && other.layout == .indexed
  }

  /// The database that contains it.
  var database: String { kind.liesAmongValues ? Catalogue.values : name }
  /// Whether that database has integer keys.
  var hasIntegerKeys: Bool { kind.shape == .sequence || kind.shape == .queue }
}

// The record: lines of a word, a space, and the value, readable as text.
extension StructureDescription {
  var record: String {
    var lines = ["kind \(kind.rawValue)", "identity \(String(identity, radix: 16))"]
    if let layout { lines.append("layout \(layout.rawValue)") }
    if let key { lines.append("key \(key)") }
    lines.append("element \(element)")
    if let elementSize { lines.append("size \(elementSize)") }
    if let count { lines.append("count \(count)") }
    if let maximumCount { lines.append("maximum \(maximumCount)") }
    if let index { lines.append("index \(index)") }
    if let maximumAttempts { lines.append("attempts \(maximumAttempts)") }
    return lines.joined(separator: "\n")
  }

  init(name: String, record: String) throws(StoreError) {
    var fields: [Substring: Substring] = [:]
    for line in record.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      if parts.count == 2 { fields[parts[0]] = parts[1] }
    }
    /// Parses a number in a range; an invalid number, or one out of range, makes the record one that is not understood.
    func number(_ field: Substring, _ range: ClosedRange<Int>) throws(StoreError) -> Int? {
      guard let text = fields[field] else { return nil }
      guard let number = Int(text), range.contains(number) else { throw .notUnderstood(name, record) }
      return number
    }
    let layout = fields["layout"].map { Layout(rawValue: String($0)) }
    guard let kind = fields["kind"].flatMap({ Kind(rawValue: String($0)) }), let element = fields["element"],
      let identity = fields["identity"].flatMap({ UInt64($0, radix: 16) }), layout != .some(nil)
    else { throw .notUnderstood(name, record) }
    self.init(
      name, kind, layout: layout ?? nil, key: fields["key"].map(String.init), element: String(element),
      count: try number("count", 0...1 << 40), maximumCount: try number("maximum", 1...Int.max))
    elementSize = try number("size", 1...1 << 30)
    index = fields["index"].flatMap { UInt64($0) }.flatMap { $0 < Self.indexLimit ? $0 : nil }
    maximumAttempts = try number("attempts", 1...Int.max)
    self.identity = identity
    // All code that reads the structure needs these fields.
    let isComplete =
      switch kind.shape {
      case .sequence where kind == .array: layout == .packed && elementSize != nil && self.count != nil
      case .sequence: layout == .slotted || layout == .indexed || layout == .packed && elementSize != nil
      case .map: key != nil
      case .cell where kind == .semaphore || kind == .barrier: self.count != nil
      case .cell, .queue: true
      }
    guard isComplete else { throw .notUnderstood(name, record) }
  }

  /// The description of a list or array: elements of a fixed size have no need of slots.
  static func sequence<C: Codec>(
    _ name: String, _ kind: Kind, of _: C.Type, count: Int? = nil, maximumCount: Int? = nil
  ) throws(StoreError) -> StructureDescription {
    var description = StructureDescription(
      name, kind, layout: C.fixedByteCount == nil ? .slotted : .packed, element: C.identifier, count: count,
      maximumCount: maximumCount)
    if C.fixedByteCount == nil { description.otherElements = Array(C.identifiers.dropFirst()) }
    description.elementSize = C.fixedByteCount
    guard description.elementSize != 0 else {
      throw StoreError(
        .unencodable, "open", structure: name, reason: "values of \(C.identifier) have no bytes",
        advice: "use a type that holds something")
    }
    return description
  }
}

extension StoreError {
  /// The error for a record in the catalogue that this version does not understand, usually of a structure of a later version.
  static func notUnderstood(_ name: String, _ record: String) -> StoreError {
    StoreError(
      .newerFormat, "open", structure: name, reason: "its record in the catalogue is not understood: '\(record)'",
      advice: "use or remove it with the version of lmdbshare that made it")
  }
}
