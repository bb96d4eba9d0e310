#if DEBUG
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct SHA256UnitTests {
    /// The examples of FIPS 180-4.
    @Test(arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
    ])
    func digestsAreThoseOfTheStandard(text: String, digest: String) {
      #expect(SHA256.digest(Array(text.utf8)).hexadecimal == digest)
    }

    /// Every length up to that of two blocks and more; the expected digest is by Python's `hashlib`.
    @Test func everyLengthIsPadded() {
      let message = (0..<2000).map { UInt8(($0 * 7 + 3) % 251) }
      let digests = (0..<150).flatMap { SHA256.digest(Array(message[..<$0])) }
      #expect(
        SHA256.digest(digests).hexadecimal == "035711a8f48a8e1fc7023cb82417f835c87d9686d18dd6c16af61dc22e1830f8")
      #expect(
        SHA256.digest(message).hexadecimal == "55384c31cb0f7eb9abb8e18719553b259f83c506083a7156e123ad613d43fbef")
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct StoredKeyUnitTests {
    private func stored(_ key: [UInt8], isFixed: Bool = false) -> [UInt8] {
      withBytes(of: key) { StoredKey.with($0, isFixed: isFixed) { $0.copied() } }
    }

    /// What an entry gives back: the key and the value.
    private func entry(_ key: [UInt8], _ value: [UInt8]) throws -> (key: [UInt8], value: [UInt8]) {
      let bytes = withBytes(of: key) { key in withBytes(of: value) { StoredKey.wrap(key: key, value: $0) } }
      return try withBytes(of: stored(key)) { stored in
        let isHashed = StoredKey.isHashed(stored, isFixed: false)
        return try withBytes(of: isHashed ? bytes : value) { bytes in
          (
            try StoredKey.key(stored, bytes, isFixed: false).copied(),
            try StoredKey.value(stored, bytes, isFixed: false).copied()
          )
        }
      }
    }

    @Test func keysOfAFixedSizeStayAsTheyAre() {
      for key in [[0], [0, 0, 0, 0], [1, 0], [0, 5]] as [[UInt8]] {
        #expect(stored(key, isFixed: true) == key)
        withBytes(of: key) { #expect(StoredKey.encoded($0, isFixed: true).copied() == key) }
      }
      let long = [UInt8](repeating: 0, count: 511)
      #expect(stored(long, isFixed: true) == long)
      withBytes(of: long) { #expect(StoredKey.isHashed($0, isFixed: true) == false) }
    }

    @Test func zerosGetOneMore() {
      for count in 0...509 {
        let key = [UInt8](repeating: 0, count: count)
        #expect(stored(key) == key + [0])
        withBytes(of: stored(key)) { #expect(StoredKey.encoded($0, isFixed: false).copied() == key) }
      }
      #expect(stored([0, 1]) == [0, 1] && stored([1, 0]) == [1, 0] && stored([0, 0, 7, 0]) == [0, 0, 7, 0])
    }

    /// The last key that fits, and the first one that does not: also of zeros.
    @Test func longKeysAreHashed() throws {
      for byte in [0, 1] as [UInt8] {
        let longest = [UInt8](repeating: byte, count: byte == 0 ? 509 : 510)
        #expect(stored(longest).count == 510)
        let key = longest + [byte]
        #expect(stored(key) == key.prefix(479) + SHA256.digest(key) && stored(key).count == 511)
        withBytes(of: stored(key)) { #expect(StoredKey.isHashed($0, isFixed: false) == true) }
      }
      // Keys that differ only behind the prefix.
      let long = [UInt8](repeating: 5, count: 1000)
      #expect(stored(long) != stored(long + [5]) && stored(long).prefix(479) == stored(long + [5]).prefix(479))
    }

    /// Keys of any kind: each is found again, no two are one, and short ones sort as their bytes do.
    @Test func storedKeysKeepKeysAndOrder() throws {
      var random = SeededGenerator("StoredKeyUnitTests.storedKeysKeepKeysAndOrder")
      var keys: Set<[UInt8]> = []
      for _ in 0..<400 {
        let zeros = [UInt8](repeating: 0, count: [0, 0, 1, 2, 100, 508, 509, 510, 511].randomElement(using: &random)!)
        let count = [0, 1, 2, 3, 478, 479, 480, 509, 510, 511, 600].randomElement(using: &random)!
        keys.insert(zeros + (0..<count).map { _ in [0, 1, 255].randomElement(using: &random)! })
      }
      var short: [(key: [UInt8], stored: [UInt8])] = []
      var seen: Set<[UInt8]> = []
      for key in keys {
        let value = [UInt8].random(5, &random)
        let found = try entry(key, value)
        #expect(found.key == key && found.value == value)
        let form = stored(key)
        #expect((1...511).contains(form.count) && seen.insert(form).inserted)
        if form.count < 511 { short.append((key, form)) }
      }
      short.sort { $0.key.lexicographicallyPrecedes($1.key) }
      for (a, b) in zip(short, short.dropFirst()) {
        withBytes(of: a.stored) { a in withBytes(of: b.stored) { #expect(a.compare($0) < 0) } }
      }
    }

    @Test func aDamagedLongKeyIsAFailure() {
      let form = [UInt8](repeating: 1, count: 511)
      for bytes in [[], [1, 0, 0], [1, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 1, 2], [3, 0, 0, 0, 1, 2]] as [[UInt8]] {
        withBytes(of: form) { form in
          withBytes(of: bytes) { bytes in
            #expect(throws: DecodingFailure.self) { _ = try StoredKey.key(form, bytes, isFixed: false).copied() }
            #expect(throws: DecodingFailure.self) { _ = try StoredKey.value(form, bytes, isFixed: false).copied() }
          }
        }
      }
    }

    /// The successor is greater than all keys with the prefix, and none is between.
    @Test func theSuccessorOfAPrefix() {
      #expect(StoredKey.successor(ofPrefix: [1, 2]) == [1, 3] && StoredKey.successor(ofPrefix: [1, 255, 255]) == [2])
      #expect(StoredKey.successor(ofPrefix: []) == nil && StoredKey.successor(ofPrefix: [255, 255]) == nil)
      let keys = (0..<3).flatMap { a in (0..<3).map { b in [UInt8(a + 253), UInt8(b + 253)] } }
      for prefix in keys + [[253], [254], [255]] {
        let end = StoredKey.successor(ofPrefix: prefix)
        for key in keys where !key.lexicographicallyPrecedes(prefix) {
          #expect(
            key.starts(with: prefix) == (end.map { key.lexicographicallyPrecedes($0) } ?? true), "\(prefix) \(key)")
        }
      }
    }

    @Test func keysAreDescribed() {
      #expect(StoredKey.describe(Array("name".utf8)) == "'name'" && StoredKey.describe([0, 0xAB]) == "0x00ab")
      #expect(StoredKey.describe([10]) == "0x0a" && StoredKey.describe([127]) == "0x7f")
      #expect(StoredKey.describe([UInt8](repeating: 1, count: 100)).count == 2 + 64)
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct KeyBoundUnitTests {
    @Test func anEndIsPassedInTheDirectionOfTheWalk() {
      let keys: [[UInt8]] = [[], [0], [1], [1, 0], [1, 1], [2], [255]]
      for key in keys {
        for end in keys {
          let (before, after) = (key.lexicographicallyPrecedes(end), end.lexicographicallyPrecedes(key))
          withBytes(of: key) { key in
            #expect(KeyBound.included(end).isPassed(by: key, forward: true) == after)
            #expect(KeyBound.included(end).isPassed(by: key, forward: false) == before)
            #expect(KeyBound.excluded(end).isPassed(by: key, forward: true) == !before)
            #expect(KeyBound.excluded(end).isPassed(by: key, forward: false) == !after)
            #expect(!KeyBound.none.isPassed(by: key, forward: true) && !KeyBound.none.isPassed(by: key, forward: false))
          }
        }
      }
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct WalkWatchUnitTests {
    /// The finding of a walk over keys; nil when there is none.
    private func finding(_ keys: [[UInt8]], count: Int?, isWhole: Bool = true, reversed: Bool = false) -> String? {
      var watch = WalkWatch(count: count, isWhole: isWhole, reversed: reversed)
      for key in keys {
        if let finding = withBytes(of: key, { watch.finding(at: $0) }) { return finding }
      }
      return watch.findingAtEnd()
    }

    @Test func soundWalksHaveNoFinding() {
      #expect(finding([], count: 0) == nil && finding([[1], [1, 0], [2]], count: 3) == nil)
      #expect(finding([[2], [1, 0], [1]], count: 3, reversed: true) == nil)
      #expect(finding([[1]], count: 3, isWhole: false) == nil && finding([[1], [2]], count: nil) == nil)
    }

    @Test func whatIsWrongIsFound() {
      #expect(finding([[]], count: 1)?.contains("empty") == true)
      #expect(finding([[1], [1]], count: 2)?.contains("ascend") == true)
      #expect(finding([[1, 0], [1]], count: 2)?.contains("ascend") == true)
      #expect(finding([[1], [1]], count: nil, reversed: true)?.contains("ascend") == true)
      #expect(finding([[1], [2]], count: 2, reversed: true)?.contains("ascend") == true)
      #expect(finding([[1], [2]], count: 1, isWhole: false)?.contains("more entries") == true)
      #expect(finding([[1]], count: 2)?.contains("2 entries") == true)
    }
  }
#endif
