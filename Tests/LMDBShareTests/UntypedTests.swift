import LMDBShare
import TestSupport
import Testing

/// Structures accessed only by their bytes, as tools do, compared with the typed views.
@Suite(.timeLimit(.minutes(20)))
struct UntypedTests {
  private func bytes<T: Storable>(_ value: T) throws -> [UInt8] {
    try T.StorageCodec.withEncoded(value) { $0.copied() }
  }

  /// Random changes of a list by bytes, and of an array in memory.
  private func changesAreThoseOfArrays<T: Storable & Equatable>(_: T.Type, _ make: (Int) -> T, _ seed: String) throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: T.self)
    let untyped = try test.store.untyped("list")
    var random = SeededGenerator(seed)
    var model: [T] = []
    for _ in 0..<60 {
      try test.store.write { txn in
        let contents = txn.contents(untyped)
        for _ in 0..<40 {
          let value = make(Int.random(in: 0..<1000, using: &random))
          let encoded = try bytes(value)
          switch Int.random(in: 0..<10, using: &random) {
          case 0..<5:
            let place = Int.random(in: 0...model.count, using: &random)
            try contents.insert(encoded, at: place)
            model.insert(value, at: place)
          case 5:
            try contents.insert(encoded, at: model.count)
            model.append(value)
          case 6, 7:
            guard let place = model.indices.randomElement(using: &random) else { continue }
            try contents.replace(place, encoded)
            model[place] = value
          default:
            guard let place = model.indices.randomElement(using: &random) else { continue }
            let end = min(model.count, place + Int.random(in: 1...3, using: &random))
            contents.remove(place..<end)
            model.removeSubrange(place..<end)
          }
        }
      }
      #expect(try Array(test.store.snapshot()[list]) == model)
      // Iteration in both directions and in parts.
      try test.store.read { txn in
        let contents = txn.contents(untyped)
        #expect(contents.count == model.count)
        let start = Int.random(in: 0...model.count, using: &random)
        let range = start..<Int.random(in: start...model.count, using: &random)
        for isReversed in [false, true] {
          var found: [T] = []
          try contents.walk(range, reversed: isReversed) { position, element in
            found.append(try T.StorageCodec.decode(element))
            #expect(model[position] == found.last)
            return true
          }
          #expect(found == (isReversed ? model[range].reversed() : Array(model[range])))
        }
      }
    }
    #expect(try test.store.check().isEmpty)
  }

  @Test func packedLists() throws { try changesAreThoseOfArrays(Int16.self, { Int16($0) }, "packedLists") }
  @Test func indexedLists() throws { try changesAreThoseOfArrays(String.self, { "element \($0)" }, "indexedLists") }

  /// The differences between two snapshots, applied to the first one, give the second one.
  private func differencesLeadOn<T: Storable & Equatable>(_: T.Type, _ make: (Int) -> T, _ seed: String) throws {
    let test = try TestStore()
    let list = try test.store.list("list", of: T.self)
    let untyped = try test.store.untyped("list")
    var random = SeededGenerator(seed)
    for _ in 0..<200 {
      let before = try test.store.snapshot()
      let old = Array(try before[list])
      try test.store.write { txn in
        for _ in 0..<Int.random(in: 0..<4, using: &random) {
          let value = make(Int.random(in: 0..<5, using: &random))
          let count = txn[list].count
          switch Int.random(in: 0..<6, using: &random) {
          case 0: txn[list].append(value)
          case 1: txn[list].insert(value, at: Int.random(in: 0...count, using: &random))
          case 2: txn[list].append(contentsOf: (0..<600).map { make($0 % 7) })
          case 3 where count > 0: txn[list][Int.random(in: 0..<count, using: &random)] = value
          case 4 where count > 0: txn[list].remove(at: Int.random(in: 0..<count, using: &random))
          case 5 where count > 0: txn[list].removeFirst(Int.random(in: 1...min(count, 5), using: &random))
          default: break
          }
        }
      }
      let after = try test.store.snapshot()
      let new = Array(try after[list])
      var removed = Set<Int>()
      var placed: [Int: T] = [:]
      try before.read { a in
        try after.read { b in
          try Difference.walk(from: a.contents(untyped), to: b.contents(untyped)) { entry in
            let position = try #require(entry.position)
            switch entry.kind {
            case .removed:
              #expect(entry.old == (try bytes(old[position])))
              removed.insert(position)
            case .inserted, .updated:
              #expect(entry.new == (try bytes(new[position])))
              if entry.kind == .inserted { placed[position] = new[position] }
            }
          }
        }
      }
      // Elements that stay keep their order, and fill the places without a new element.
      var rest = old.indices.filter { !removed.contains($0) }.map { old[$0] }[...]
      #expect(rest.count + placed.count == new.count)
      for position in new.indices where placed[position] == nil {
        let kept = rest.popFirst()
        // It may have been given another value in place.
        #expect(kept != nil)
      }
      if old == new { #expect(removed.isEmpty && placed.isEmpty) }
    }
  }

  @Test func differencesOfPackedLists() throws {
    try differencesLeadOn(Int32.self, { Int32($0) }, "differencesOfPackedLists")
  }
  @Test func differencesOfIndexedLists() throws {
    try differencesLeadOn(String.self, { "\($0)" }, "differencesOfIndexedLists")
  }

  @Test func differencesOfDictionaries() throws {
    let test = try TestStore()
    let words = try test.store.dictionary("words", of: String.self, Int.self)
    let untyped = try test.store.untyped("words")
    var random = SeededGenerator("differencesOfDictionaries")
    let long = String(repeating: "k", count: 600)
    for _ in 0..<200 {
      let before = try test.store.snapshot()
      var model = Dictionary(try before[words])
      try test.store.write { txn in
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
          let number = Int.random(in: 0..<40, using: &random)
          let key = number % 5 == 0 ? "\(long)\(number)" : number == 1 ? "" : "\(number)"
          if Bool.random(using: &random) { txn[words][key] = number } else { txn[words].removeValue(forKey: key) }
          if Int.random(in: 0..<4, using: &random) == 0 { txn[words][key] = Int.random(in: 0..<3, using: &random) }
        }
      }
      let after = try test.store.snapshot()
      try before.read { a in
        try after.read { b in
          try Difference.walk(from: a.contents(untyped), to: b.contents(untyped)) { entry in
            let key = String(decoding: try #require(entry.key), as: UTF8.self)
            let old = try entry.old.map { bytes in try withBytes(of: bytes) { try Int.StorageCodec.decode($0) } }
            let new = try entry.new.map { bytes in try withBytes(of: bytes) { try Int.StorageCodec.decode($0) } }
            #expect(model[key] == old && old != new)
            model[key] = new
          }
        }
      }
      #expect(model == Dictionary(try after[words]))
    }
  }

  /// A queue that was restored item by item is the same, and its numbers continue.
  @Test func queuesArePutBack() throws {
    let test = try TestStore()
    let jobs = try test.store.queue("jobs", of: Int.self, maximumAttempts: 2)
    let copies = try test.store.queue("copies", of: Int.self, maximumAttempts: 2)
    let (from, to) = (try test.store.untyped("jobs"), try test.store.untyped("copies"))
    var random = SeededGenerator("queuesArePutBack")
    for round in 0..<40 {
      for _ in 0..<30 {
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<3: try jobs.push(round, priority: Bool.random(using: &random) ? .normal : .urgent)
        case 3: try test.store.write { txn in txn[jobs].push(contentsOf: [1, 2, 3]) }
        case 4: try jobs.push(round, delay: .seconds(1000))
        case 5: _ = try jobs.pop()
        default: if let lease = try jobs.lease(for: .seconds(100)) { try jobs.release(lease, reason: "again") }
        }
      }
      try test.store.write { txn in
        let (source, target) = (txn.contents(from), txn.contents(to))
        target.removeAll()
        var items: [(UntypedContents.Item, [UInt8])] = []
        try source.walkItems { item, bytes in
          items.append((item, bytes.copied()))
          return true
        }
        for (item, bytes) in items { try withBytes(of: bytes) { try target.restore(item, $0) } }
        target.restore(source.queueNumbers)
      }
      #expect(try test.store.check().isEmpty)
      try test.store.read { txn in
        #expect(
          txn[jobs].items.map { [$0.sequence, UInt64($0.attempts)] }
            == txn[copies].items.map { [$0.sequence, UInt64($0.attempts)] })
        #expect(txn[jobs].deadLetters.map(\.sequence) == txn[copies].deadLetters.map(\.sequence))
        #expect(txn[jobs].statistics.delayed == txn[copies].statistics.delayed)
      }
      #expect(try jobs.push(0) == copies.push(0))
    }
  }
}
