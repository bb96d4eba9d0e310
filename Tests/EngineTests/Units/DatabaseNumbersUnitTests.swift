#if DEBUG
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct DatabaseNumbersUnitTests {
    @Test func namesAreBytes() {
      var numbers = DatabaseNumbers()
      // Equal as strings.
      let (composed, decomposed) = ("\u{E9}", "e\u{301}")
      #expect(composed == decomposed)
      let first = numbers.number(Array(composed.utf8), 1)
      let second = numbers.number(Array(decomposed.utf8), 1)
      #expect(first != second)
      #expect(numbers.name(first) == [0xC3, 0xA9] && numbers.name(second) == [0x65, 0xCC, 0x81])
      let empty = numbers.number([], 1)
      #expect(numbers.name(empty) == [] && empty != first)
    }

    @Test func aStructureThatIsCreatedAgainHasAnotherNumber() {
      var numbers = DatabaseNumbers()
      let old = numbers.number([1, 2], 10)
      let new = numbers.number([1, 2], 11)
      #expect(old != new && numbers.number([1, 2], 10) == old && numbers.number([1, 2], 11) == new)
      #expect(numbers.name(old) == [1, 2] && numbers.name(new) == [1, 2])
    }

    @Test func otherNumbersHaveNoName() {
      var numbers = DatabaseNumbers()
      let only = numbers.number([1], 1)
      for database in [Database.freeList, .main, .missing, Database(openedByLMDB: 2), Database(UInt32(only.index) + 1)]
      {
        #expect(numbers.name(database) == nil, "\(database)")
      }
    }

    /// However many databases there are: the number that stands for none gets no name, and neither do LMDB's numbers.
    @Test func theMissingDatabaseNeverHasAName() {
      var numbers = DatabaseNumbers()
      for _ in 0..<70_000 { _ = numbers.lend([7]) }
      #expect(numbers.name(.missing) == nil && numbers.name(Database(openedByLMDB: 40)) == nil)
      #expect(numbers.name(Database(40)) == [7])
    }

    /// Numbers that are kept and lent, against a dictionary.
    @Test func noNumberHasTwoMeanings() {
      var random = SeededGenerator("DatabaseNumbersUnitTests.noNumberHasTwoMeanings")
      var numbers = DatabaseNumbers()
      var kept: [[UInt64]: Database] = [:]
      var names: [Database: [UInt8]] = [:]
      var lent: [Database] = []
      for _ in 0..<SeededGenerator.operations(5000) {
        let name = [UInt8.random(in: 0..<8, using: &random), UInt8.random(in: 0..<4, using: &random)]
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
          let identity = UInt64.random(in: 0..<5, using: &random)
          let number = numbers.number(name, identity)
          let key = name.map { UInt64($0) } + [identity]
          if let known = kept[key] { #expect(number == known) } else { #expect(names[number] == nil) }
          (kept[key], names[number]) = (number, name)
        case 1:
          let number = numbers.lend(name)
          #expect(names[number] == nil)
          lent.append(number)
          names[number] = name
        default:
          guard let place = lent.indices.randomElement(using: &random) else { continue }
          let number = lent.remove(at: place)
          numbers.giveBack(number)
          names[number] = nil
        }
        for (number, name) in names { #expect(numbers.name(number) == name && number.index >= 2) }
      }
      // Lent numbers are used again.
      #expect(names.keys.allSatisfy { $0.index < 2 + 8 * 4 * 5 + 1500 })
    }

    @Test func lentNumbersAreUsedAgain() {
      var numbers = DatabaseNumbers()
      let first = numbers.lend([1])
      numbers.giveBack(first)
      #expect(numbers.lend([2]) == first && numbers.name(first) == [2])
      #expect(numbers.lend([3]) != first)
    }

    @Test func theNumbersOfLMDBAreMarked() {
      #expect(Database(5).numberOfLMDB == nil && Database(5).index == 5)
      #expect(Database(openedByLMDB: 5).numberOfLMDB == 5 && Database(openedByLMDB: 5) != Database(5))
      #expect(Database.missing.numberOfLMDB != nil && Database.freeList.index == 0 && Database.main.index == 1)
    }
  }
#endif
