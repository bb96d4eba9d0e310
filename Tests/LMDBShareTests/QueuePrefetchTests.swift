import LMDBShare
import TestSupport
import Testing

/// Items that are decoded before the write that takes them.
@Suite(.timeLimit(.minutes(20)))
struct QueuePrefetchTests {
  /// An element that records where it was decoded: how often outside of writes, and how often within one.
  private struct Noted: Storable, Equatable {
    var number: Int
    static let store = Locked<SharedStore?>(nil)
    static let decodings = Locked((outside: 0, within: 0))

    enum StorageCodec: Codec {
      static let identifier = "noted"
      static func encode(_ value: Noted, into writer: inout ByteWriter) { writer.append(littleEndian: value.number) }
      static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> Noted {
        let isWriting = Noted.store.withLock { $0?.environment.isWriting ?? false }
        Noted.decodings.withLock { if isWriting { $0.within += 1 } else { $0.outside += 1 } }
        guard let number: Int = bytes.littleEndian(), number >= 0 else { throw DecodingFailure("it is negative") }
        return Noted(number: number)
      }
    }
  }

  @Test func itemsAreDecodedBeforeTheWriteThatTakesThem() async throws {
    let test = try TestStore()
    Noted.store.withLock { $0 = test.store }
    defer { Noted.store.withLock { $0 = nil } }
    func decodings() -> [Int] {
      Noted.decodings.withLock { now in
        defer { now = (0, 0) }
        return [now.outside, now.within]
      }
    }
    let queue = try await test.store.queue("queue", of: Noted.self)
    let items = (0..<6000).map { Noted(number: $0) }
    try await queue.push(contentsOf: items)
    #expect(try await queue.pop(atMost: 2500) == Array(items[..<2500]))
    #expect(decodings() == [2500, 0])
    #expect(try sync(queue, 1500) == Array(items[2500..<4000]))
    #expect(decodings() == [1500, 0])
    #expect(try await queue.pop(atMost: 1500, timeout: .seconds(20)) == Array(items[4000..<5500]))
    #expect(decodings() == [1500, 0])
    // Another process is faster, and takes some of the items that were seen.
    let seen = try test.store.read { txn in txn[queue].prefetch(atMost: 100) }
    #expect(try await queue.pop(atMost: 40).count == 40)
    _ = decodings()
    #expect(try await test.store.write { txn in txn[queue].pop(atMost: 100, seen) } == Array(items[5540..<5640]))
    #expect(decodings() == [0, 40])
    // An undecodable one becomes a dead letter.
    try await queue.removeAll()
    try await queue.push(contentsOf: [1, 2, -3, 4].map { Noted(number: $0) })
    #expect(try await queue.pop(atMost: 10).map(\.number) == [1, 2, 4])
    #expect(try queue.deadLetters().map(\.sequence) == [6003])
    try queue.checkInvariants()
  }

  /// The waiting form for threads.
  private func sync<Element>(_ queue: SharedQueue<Element>, _ most: Int) throws -> [Element] {
    try queue.pop(atMost: most, timeout: .seconds(20))
  }
}
