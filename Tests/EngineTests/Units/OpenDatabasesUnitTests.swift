#if DEBUG
  import TestSupport
  import Testing

  @testable import LMDBShare

  /// What can be known without databases of LMDB: nothing here is closed.
  @Suite(.timeLimit(.minutes(5)))
  struct OpenDatabasesUnitTests {
    /// Never used: a database is closed only when there are more than 32.
    private let environment = OpaquePointer(bitPattern: 16)!

    @Test func anOpenDatabaseIsFoundByNumberAndName() {
      var open = OpenDatabases()
      open.begin(environment)
      #expect(open.find(Database(9)) == nil && open.find(named: [1]) == nil && open.find(.missing) == nil)
      open.note(Database(9), [1], as: 3)
      #expect(open.find(Database(9)) == 3 && open.uncommittedCount == 1)
      #expect(open.find(Database(8)) == nil && open.find(Database(10)) == nil && open.find(named: [2]) == nil)
      #expect(open.find(named: [1])?.dbi == 3 && open.find(named: [1])?.isInUse == true)
      // The next transaction has not used it yet.
      open.begin(environment)
      #expect(open.uncommittedCount == 0 && open.find(named: [1])?.isInUse == false)
      #expect(open.find(Database(9)) == 3 && open.find(named: [1])?.isInUse == true)
    }

    @Test func anAbortForgetsWhatTheTransactionOpened() {
      var open = OpenDatabases()
      open.begin(environment)
      open.note(Database(2), [2], as: 2)
      open.begin(environment)
      for number in 3...6 as ClosedRange<UInt32> { open.note(Database(number), [UInt8(number)], as: number) }
      // A part of it, then all.
      open.abort(after: 2)
      #expect((2...6).map { open.find(Database($0)) } == [2, 3, 4, nil, nil] && open.uncommittedCount == 2)
      #expect(open.find(named: [5]) == nil)
      open.abort()
      #expect((2...6).map { open.find(Database($0)) } == [2, nil, nil, nil, nil] && open.uncommittedCount == 0)
      open.abort(after: 5)
      #expect(open.find(Database(2)) == 2)
    }

    @Test func whatTheTransactionUsesIsNotClosed() {
      var open = OpenDatabases()
      open.begin(environment)
      #expect(open.closeUnused(environment) == false)
      for number in 2..<40 as Range<UInt32> { open.note(Database(number), [UInt8(number)], as: number) }
      #expect(open.closeUnused(environment) == false)
      #expect((2..<40).allSatisfy { open.find(Database($0)) == $0 })
    }

    @Test func aClosedEnvironmentHasNoDatabases() {
      var open = OpenDatabases()
      open.begin(environment)
      for number in 2..<60 as Range<UInt32> { open.note(Database(number), [UInt8(number)], as: number) }
      open.removeAll()
      #expect((2..<60).allSatisfy { open.find(Database($0)) == nil } && open.find(named: [2]) == nil)
      #expect(open.uncommittedCount == 0)
      // None is counted any more: this would close some of 58.
      open.begin(environment)
      open.note(Database(5), [5], as: 2)
      #expect(open.find(Database(5)) == 2 && open.find(Database(2)) == nil)
    }

    /// The numbers of both sides are used again for other databases.
    @Test func numbersAreUsedAgain() {
      var random = SeededGenerator("OpenDatabasesUnitTests.numbersAreUsedAgain")
      var open = OpenDatabases()
      var model: [UInt32: (dbi: UInt32, name: [UInt8])] = [:]
      for turn in 0..<SeededGenerator.operations(2000) {
        open.begin(environment)
        let before = model
        for _ in 0..<3 {
          guard model.count < 30 else { break }
          let free = (2..<40 as Range<UInt32>).filter { number in !model.values.contains { $0.dbi == number } }
          let number = UInt32.random(in: 2..<100, using: &random)
          guard model[number] == nil, let dbi = free.randomElement(using: &random) else { continue }
          let name = Array("\(turn) \(number)".utf8)
          open.note(Database(number), name, as: dbi)
          model[number] = (dbi, name)
        }
        // So that there is always room.
        if model.count >= 28 || Bool.random(using: &random) {
          open.abort()
          model = before
        }
        if model.count >= 27 {
          open.removeAll()
          model = [:]
        }
        for number in 2..<100 as Range<UInt32> { #expect(open.find(Database(number)) == model[number]?.dbi) }
        for entry in model.values { #expect(open.find(named: entry.name)?.dbi == entry.dbi) }
      }
    }
  }
#endif
