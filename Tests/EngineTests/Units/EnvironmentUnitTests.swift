#if DEBUG
  import Foundation
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct GrowthLogUnitTests {
    @Test func aCommitHasTheSizeOfTheLastKnownOneBefore() {
      var log = GrowthLog()
      #expect(log.lastPage(at: 5) == nil && !log.isInTheWay)
      log.note(10, 100)
      log.note(20, 90)
      log.note(30, 200)
      // Before the first one, the first one.
      for (transaction, page) in [(0, 100), (9, 100), (10, 100), (19, 100), (20, 90), (29, 90), (30, 200), (.max, 200)]
      {
        #expect(log.lastPage(at: transaction) == page, "\(transaction)")
      }
    }

    /// However many commits there are, few sizes are kept, and none is of a commit that is much older than the one in question.
    @Test(arguments: [1, 3, 1000])
    func olderCommitsAreKeptLessExactly(step: Int) throws {
      var random = SeededGenerator("GrowthLogUnitTests.olderCommitsAreKeptLessExactly")
      var log = GrowthLog()
      var commits: [Int] = []
      var next = 1
      for _ in 0..<20_000 {
        next += Int.random(in: 1...step, using: &random)
        commits.append(next)
        // The page names the commit.
        log.note(next, next * 2)
      }
      for _ in 0..<2000 {
        let transaction = commits[
          commits.count - Int.random(in: 1...(1 << Int.random(in: 0...14, using: &random)), using: &random)]
        let found = try #require(log.lastPage(at: transaction)) / 2
        #expect(found <= transaction && transaction - found <= (next - transaction) / 7, "\(found) for \(transaction)")
      }
      #expect(log.lastPage(at: 0) == commits[0] * 2)
      let count = Mirror(reflecting: log).children.compactMap { ($0.value as? [Any])?.count }
      #expect(count.count == 1 && count[0] <= 256)
    }

    /// Writes that are undone leave the number of the last transaction as it is.
    @Test func repeatedTransactionsNeedNoRoom() {
      var log = GrowthLog()
      for transaction in 1...100 { log.note(transaction, transaction) }
      for _ in 0..<1000 { log.note(101, 101) }
      for transaction in 90...101 { #expect(log.lastPage(at: transaction) == transaction) }
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct StoreErrorUnitTests {
    /// The codes of LMDB that this library expects, from its header.
    private static let ofLMDB: [(Int32, StoreError.Code)] = [
      (-30799, .notSorted), (-30797, .damaged), (-30796, .damaged), (-30795, .outcomeUnknown), (-30794, .foreignFormat),
      (-30793, .notAStore), (-30792, .mapFull), (-30791, .structuresFull), (-30790, .readersFull),
      (-30788, .transactionTooLarge), (-30784, .structureRemoved), (-30783, .readerLost), (-30781, .outOfRange),
      (-30780, .structureRemoved),
    ]
    private static let ofTheSystem: [(Int32, StoreError.Code)] = [
      (ENOSPC, .diskFull), (EDQUOT, .diskFull), (EFBIG, .diskFull), (EACCES, .permissionDenied),
      (EPERM, .permissionDenied), (EROFS, .permissionDenied), (ENOENT, .storeNotFound), (ENOTDIR, .wrongFileKind),
      (ELOOP, .wrongFileKind), (ENOMEM, .resourceLimit), (EAGAIN, .resourceLimit), (EMFILE, .resourceLimit),
      (ENFILE, .resourceLimit), (EIO, .inputOutput),
    ]

    @Test func expectedCodesHaveAReasonAndAdvice() {
      for (number, code) in Self.ofLMDB + Self.ofTheSystem {
        let error = StoreError(returnCode: number, "open it")
        #expect(error.code == code && error.underlying == number && error.operation == "open it", "\(number)")
        #expect(!error.reason.isEmpty && !error.advice.isEmpty && !error.advice.hasPrefix("the system said"))
        #expect(error.description == "open it: \(error.reason); \(error.advice)" && error.structure == nil)
      }
    }

    @Test func otherCodesHaveTheWordsOfTheSystem() {
      for number in [EINVAL, EEXIST, 9999, -30799 - 500, .max, .min] {
        let error = StoreError(returnCode: number, "open it")
        #expect(error.code == .system && error.underlying == number && error.advice.contains("(\(number))"))
        #expect(!error.reason.isEmpty)
      }
      #expect(StoreError(returnCode: EINVAL, "x").reason == String(cString: strerror(EINVAL)))
    }

    @Test func zeroIsNoError() throws {
      try check(0, "x")
      #expect(throws: StoreError(returnCode: EIO, "x")) { try check(EIO, "x") }
      // LMDB's codes are negative.
      #expect(throws: StoreError(returnCode: -30792, "x")) { try check(-30792, "x") }
      #expect(try checkErrno(0, "x") == 0 && checkErrno(7, "x") == 7)
      #expect(errorCode { try checkErrno(open("/does/not/exist", O_RDONLY), "x") } == .storeNotFound)
    }

    @Test func aTakenProcessNumberIsNotALackOfRoom() {
      let error = StoreError(beginning: EAGAIN, "read")
      #expect(error.code == .processNumberTaken && error.underlying == EAGAIN)
      #expect(StoreError(beginning: -30790, "read") == StoreError(returnCode: -30790, "read"))
    }

    @Test func controlCharactersAreEscaped() {
      let error = StoreError(.damaged, "open a\nb", structure: "s\u{1B}", reason: "r\u{7F}", advice: "a\u{202E}")
      #expect(!error.description.unicodeScalars.contains { $0.value < 32 || [0x7F, 0x202E].contains($0.value) })
      // The name itself stays, for programs; an error keeps the first one.
      #expect(error.structure == "s\u{1B}" && error.about("other").structure == "s\u{1B}")
      #expect(StoreError(returnCode: EIO, "read").about("list").structure == "list")
    }

    @Test func theEarlierOfTwoTimes() {
      let (now, later) = (ContinuousClock.now, ContinuousClock.now + .seconds(1))
      #expect(earlier(now, later) == now && earlier(later, now) == now)
      #expect(earlier(nil, now) == now && earlier(now, nil) == now && earlier(nil, nil) == nil)
    }
  }
#endif
