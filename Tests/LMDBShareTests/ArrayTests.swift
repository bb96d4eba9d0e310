import Foundation
import LMDBShare
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20)))
struct ArrayTests {
  @Test func againstArray() throws {
    var random = SeededGenerator("ArrayTests.againstArray")
    let test = try TestStore()
    var model = [Int16](repeating: 0, count: 5000)
    var array = try test.store.array("array", of: Int16.self, count: 5000)
    for round in 0..<SeededGenerator.operations(100_000) / 100 {
      try test.store.write { txn in
        for _ in 0..<100 {
          let (position, value) = (
            Int.random(in: 0..<5000, using: &random), Int16.random(in: .min ... .max, using: &random)
          )
          switch Int.random(in: 0..<20, using: &random) {
          case 0...8:
            txn[array][position] = value
            model[position] = value
          case 9...11:
            txn[array][position] &+= 1
            model[position] &+= 1
          case 12:
            let upper = min(5000, position + 700)
            txn[array][position..<upper].reverse()
            model[position..<upper].reverse()
          case 13:
            let values = (0..<min(600, 5000 - position)).map { Int16($0) }
            txn[array].replace(from: position, with: values)
            model.replaceSubrange(position..<position + values.count, with: values)
          case 14 where round % 50 == 0:
            txn[array].sort()
            model.sort()
          default: #expect(txn[array][position] == model[position])
          }
        }
      }
      if round % 20 == 0 {
        array = try SharedStore(path: test.path, options: .durability(.processCrashOnly)).array(
          "array", of: Int16.self, count: 5000)
        #expect(try array.read { Array($0) } == model)
      }
    }
    try array.fill(7)
    #expect(try array.read { $0.allSatisfy { $0 == 7 } })
  }

  @Test func wholeArray() throws {
    let test = try TestStore()
    let array = try test.store.array("array", of: Double.self, count: 3, repeating: 0.5)
    #expect(try array.read { Array($0) } == [0.5, 0.5, 0.5])
    try test.store.write { txn in txn[array] = [1, 2, 3] }
    try test.store.read { txn in
      #expect(txn[array] == [1, 2, 3])
      #expect(txn[array].description == "[1.0, 2.0, 3.0]")
    }
    #expect(code { try array.setAll([1]) } == .outOfRange)
    #expect(code { try test.store.write { txn in txn[array] = [] } } == .outOfRange)
    #expect(try array.read { Array($0) } == [1, 2, 3])
    #expect(code { _ = try array[3] } == .outOfRange)
    #expect(code { try array.set(1, at: -1) } == .outOfRange)
    #expect(code { _ = try test.store.array("array", of: Double.self, count: 4) } == .typeMismatch)
    #expect(try test.store.array("none", of: Int8.self, count: 0).read { Array($0) } == [])
    #expect(code { _ = try test.store.array("bad", of: Int8.self, count: -1) } == .outOfRange)
  }

  @Test func arraysThatCannotFitAreRefusedBeforeAnythingIsWritten() throws {
    var options = StoreOptions.durability(.processCrashOnly)
    func refusal(_ options: StoreOptions, _ count: Int) throws -> (StoreError?, grown: Bool) {
      let test = try TestStore(options)
      let before = try test.store.statistics().fileBytes
      var refusal: StoreError?
      do { _ = try test.store.array("array", of: Int64.self, count: count) } catch let error as StoreError {
        refusal = error
      }
      return (refusal, try test.store.statistics().fileBytes > before)
    }
    let (full, hasGrown) = try refusal(options, 1 << 40)
    #expect(full?.code == .diskFull && full?.structure == "array" && !hasGrown, "\(String(describing: full))")
    options.maximumSize = 1 << 20
    let (limited, grown) = try refusal(options, 1 << 18)
    #expect(limited?.code == .mapFull && !grown, "\(String(describing: limited))")
    #expect(try refusal(options, 1 << 15).0 == nil)
  }
}
