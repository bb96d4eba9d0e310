package import LMDBShare

// A dump is JSON lines: a header; for each structure its description, its entries and an end that counts them; and an end of the
// dump, without which it counts as truncated:
//
//   {"dump":"lmdbshare","version":1}
//   {"structure":"scores","kind":"dictionary","key":"string","element":"i64","identity":"5c1d"}
//   {"key":"al","value":3}
//   {"end":"scores","entries":1}
//   {"end":null,"structures":1}

/// Writes structures as JSON lines.
package struct Dumper: ~Copyable {
  static let version = 1
  private var output: Output
  private var progress: Progress
  private var json = JSONWriter()
  private var done = 0

  private let store: SharedStore

  package init(_ output: consuming Output, _ store: SharedStore) {
    self.output = output
    self.store = store
    progress = Progress("entries", of: 0)
  }

  package mutating func dump(_ structures: [StructureDescription], _ txn: borrowing ReadTransaction) throws {
    let counts = try structures.map { structure in
      try txn.checkOrder(of: structure)
      return try txn.withContents(of: structure, in: store) { $0.count }
    }
    progress = Progress("entries", of: counts.boundedSum())
    try output.line("{\"dump\":\"lmdbshare\",\"version\":\(Self.version)}")
    for structure in structures { try txn.withContents(of: structure, in: store) { try dump(structure, $0) } }
    try output.line("{\"end\":null,\"structures\":\(structures.count)}")
    progress.end()
    try output.flush()
  }

  private mutating func dump(_ description: StructureDescription, _ contents: UntypedContents) throws {
    describe(description, contents)
    try output.line(&json)
    let types = Types(description)
    let before = done
    let name = Printable.cut(Printable.text(description.name), to: 30)
    switch description.kind.shape {
    case .sequence:
      try contents.walk(0..<contents.count) { _, value in
        json.begin("{")
        types.writeValue(value, to: &json)
        return try entry(name)
      }
    case .map:
      try contents.walk { key, value in
        json.begin("{")
        types.writeKey(key, to: &json)
        types.writeValue(value, to: &json)
        return try entry(name)
      }
    case .queue:
      try contents.walkItems { item, value in
        json.begin("{")
        item.write(to: &json)
        types.writeValue(value, to: &json)
        return try entry(name)
      }
    case .cell where description.kind == .value || description.kind == .event:
      if let bytes = contents.value({ $0.copied() }) {
        json.begin("{")
        withBytes(of: bytes) { types.writeValue($0, to: &json) }
        _ = try entry(name)
      }
    // Holders and waiters are not part of a dump.
    case .cell: break
    }
    if let failure = contents.failure { throw failure }
    json.begin("{")
    json.name("end")
    json.string(description.name)
    json.name("entries")
    json.number(done - before)
    json.end("}")
    try output.line(&json)
  }

  private mutating func entry(_ name: String) throws -> Bool {
    json.end("}")
    try output.line(&json)
    done += 1
    progress.update(done, name)
    return true
  }

  private mutating func describe(_ description: StructureDescription, _ contents: UntypedContents) {
    json.begin("{")
    json.name("structure")
    json.string(description.name)
    json.name("kind")
    json.plain(description.kind.rawValue)
    if let key = description.key {
      json.name("key")
      json.string(key)
    }
    json.name("element")
    json.string(description.element)
    if let layout = description.layout {
      json.name("layout")
      json.plain(layout.rawValue)
    }
    for (name, number) in [
      ("size", description.elementSize), ("count", description.count), ("maximum", description.maximumCount),
      ("attempts", description.maximumAttempts),
    ] {
      guard let number else { continue }
      json.name(name)
      json.number(number)
    }
    json.name("identity")
    json.string(String(description.identity, radix: 16))
    if description.kind == .queue {
      let numbers = contents.queueNumbers
      json.name("lastSequence")
      json.number(numbers.lastSequence)
      json.name("lastToken")
      json.number(numbers.lastToken)
      json.name("closed")
      json.bool(numbers.isClosed)
    }
    json.end("}")
  }
}
