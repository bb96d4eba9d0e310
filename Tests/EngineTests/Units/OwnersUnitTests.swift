#if DEBUG
  import Foundation
  import Synchronization
  import TestSupport
  import Testing

  @testable import LMDBShare

  /// Two objects of the same file stand for two processes: the kernel gives locks to open files.
  @Suite(.timeLimit(.minutes(5)))
  struct OwnersUnitTests {
    private let directory = TemporaryDirectory()

    private func open() throws -> Owners { try #require(Owners(directory: try directory.forStore())) }

    // MARK: Slots and numbers

    @Test func eachProcessHasItsOwnSlotAndNumber() throws {
      let all = try (0..<20).map { _ in try open() }
      #expect(Set(all.map(\.slot)).count == 20 && Set(all.map(\.id)).count == 20)
      for owners in all {
        #expect((0..<4096).contains(owners.slot) && owners.processID(owners.slot) == Int(getpid()))
        for other in all {
          #expect(owners.isAlive(other.slot) && owners.isAlive(other.id))
          #expect(owners.isLockedElsewhere(other.id.place) == (owners !== other))
        }
        #expect(owners.identity == all[0].identity)
      }
    }

    @Test func aProcessThatEndsIsDeadAndItsSlotFree() throws {
      let owners = try open()
      #expect(!owners.hasOthers)
      var other: Owners? = try open()
      let (slot, id) = try (#require(other).slot, #require(other).id)
      #expect(owners.hasOthers && owners.isAlive(slot) && owners.isAlive(id))
      other = nil
      #expect(!owners.hasOthers && !owners.isAlive(slot) && !owners.isAlive(id))
      // Its own does not depend on the kernel.
      #expect(owners.isAlive(owners.slot) && owners.isAlive(owners.id))
      let next = try open()
      #expect(next.slot == slot && next.id != id && !owners.isAlive(id))
    }

    @Test func slotsThatDoNotExistAreDead() throws {
      let owners = try open()
      for slot in [-1, 4096, Int.min, Int.max] {
        #expect(!owners.isAlive(slot) && owners.processID(slot) == nil, "\(slot)")
      }
    }

    @Test func aSlotThatNoProcessHadHasNoProcess() throws {
      let owners = try open()
      // The file ends with this process's slot.
      if owners.slot < 4095 { #expect(owners.processID(owners.slot + 1) == nil) }
      truncate(directory.file("owners"), off_t(16 * owners.slot + 3))
      #expect(owners.processID(owners.slot) == nil && owners.isAlive(owners.slot))
    }

    @Test func othersAreFoundInTheFile() throws {
      let store = try directory.forStore()
      #expect(!Owners.isAnyAlive(in: store) && Owners.another(in: store) == nil)
      let all = try (0..<3).map { _ in try open() }
      #expect(Owners.isAnyAlive(in: store))
      // All of them are this process.
      #expect(Owners.another(in: store) == nil)
      for owners in all {
        var bytes = try directory.read("owners")
        let own = Array(bytes[16 * owners.slot..<16 * owners.slot + 4])
        bytes.replaceSubrange(16 * owners.slot..<16 * owners.slot + 4, with: [0x78, 0x56, 0x34, 0x12])
        try overwrite(bytes)
        #expect(Owners.another(in: store) == 0x1234_5678 && owners.processID(owners.slot) == 0x1234_5678)
        bytes.replaceSubrange(16 * owners.slot..<16 * owners.slot + 4, with: own)
        try overwrite(bytes)
      }
      #expect(Owners.another(in: store) == nil)
    }

    /// Writes to the file without replacing it.
    private func overwrite(_ bytes: [UInt8]) throws {
      let file = try #require(FileHandle(forWritingAtPath: directory.file("owners")))
      try file.write(contentsOf: Data(bytes))
      try file.close()
    }

    @Test func aProcessThatOnlyReadsIsSeenWithoutANumber() throws {
      let store = try directory.forStore()
      let reader = OwnersFile(directory: store, isReadOnly: true)
      reader.enter()
      #expect(!Owners.isAnyAlive(in: store) && !directory.exists("owners"))
      _ = try open()
      #expect(!Owners.isAnyAlive(in: store))
      let second = OwnersFile(directory: store, isReadOnly: true)
      reader.enter()
      second.enter()
      #expect(Owners.isAnyAlive(in: store) && Owners.another(in: store) == 0 && reader.owners == nil)
      reader.leave()
      #expect(Owners.isAnyAlive(in: store))
      second.leave()
      #expect(!Owners.isAnyAlive(in: store) && Owners.another(in: store) == nil)
      #expect(reader.failure("lock", "l").code == .permissionDenied)
    }

    @Test func theFileIsOpenedAgainAfterAFailure() throws {
      let file = OwnersFile(directory: try directory.forStore(), isReadOnly: false)
      mkdir(directory.file("owners"), 0o700)
      #expect(file.owners == nil)
      let failure = file.failure("lock", "l")
      #expect(failure.code == .permissionDenied && failure.structure == "l")
      rmdir(directory.file("owners"))
      let owners = try #require(file.owners)
      #expect(file.owners === owners && owners.isAlive(owners.slot))
    }

    // MARK: Places

    @Test func aNumberHasOneByteAboveAllOthers() {
      var random = SeededGenerator("OwnersUnitTests.aNumberHasOneByteAboveAllOthers")
      var seen: Set<BytePlace> = []
      for _ in 0..<1000 {
        let number = UInt64.random(in: 0..<1 << 61, using: &random)
        let place = OwnerID(number).place
        #expect(place.offset == 1 << 61 + number)
        seen.insert(place)
      }
      #expect(seen.count == 1000)
      // A damaged number still has a byte that can be locked, and is that of no lock (from 2^62 on).
      #expect(OwnerID(.max).place.offset < 1 << 62 && OwnerID.none.place.offset == 1 << 61)
      #expect(OwnerID(1 << 61) != OwnerID(0) && OwnerID(1 << 61).place == OwnerID(0).place)
    }

    // MARK: Locks

    /// Callers of two processes lock and unlock bytes, against a dictionary.
    @Test func locksAsADictionaryDoes() throws {
      var random = SeededGenerator("OwnersUnitTests.locksAsADictionaryDoes")
      let processes = try [open(), open()]
      let places = (0..<4).map { BytePlace(1 << 62 + $0) }
      var model: [BytePlace: (process: Int, caller: UInt64, depth: Int)] = [:]
      for _ in 0..<SeededGenerator.operations(5000) {
        let process = Int.random(in: 0...1, using: &random)
        let caller = UInt64.random(in: 0...3, using: &random)
        let place = places.randomElement(using: &random)!
        let held = model[place]
        if Bool.random(using: &random) {
          let isReentrant = Bool.random(using: &random)
          var expected = Owners.Attempt.locked
          if let held {
            let isOwn = held.process == process && held.caller == caller && caller != 0
            expected =
              isOwn
              ? (isReentrant ? .lockedAgain : .heldByCaller) : held.process == process ? .heldHere : .heldElsewhere
            if expected == .lockedAgain { model[place]?.depth += 1 }
          } else {
            model[place] = (process, caller, 1)
          }
          #expect(try processes[process].tryLock(place, for: caller, isReentrant: isReentrant) == expected)
        } else {
          var expected = Owners.Release.notHeld
          if let held, held.process == process, caller == 0 || caller == held.caller {
            expected = held.depth > 1 ? .stillHeld : .free
            model[place] = held.depth > 1 ? (process, held.caller, held.depth - 1) : nil
          }
          var isLockedBefore: Bool?
          let other = processes[1 - process]
          let release = processes[process].unlock(place, of: caller) { isLockedBefore = other.isLockedElsewhere(place) }
          #expect(release == expected && isLockedBefore == (expected == .free ? true : nil))
        }
        for place in places {
          for process in 0...1 {
            let held = model[place]
            #expect(processes[process].holds(place) == (held?.process == process))
            #expect(processes[process].isLockedElsewhere(place) == (held.map { $0.process != process } ?? false))
            let caller = UInt64.random(in: 1...3, using: &random)
            #expect(
              processes[process].holds(place, for: caller) == (held?.process == process && held?.caller == caller))
          }
        }
      }
    }

    @Test func aProcessThatEndsLeavesItsLocks() throws {
      let owners = try open()
      let place = BytePlace(1 << 62)
      var other: Owners? = try open()
      #expect(try other?.tryLock(place) == .locked)
      #expect(try owners.tryLock(place) == .heldElsewhere)
      other = nil
      #expect(try owners.tryLock(place) == .locked)
    }

    @Test func oneThreadOfAllHasTheLock() throws {
      let processes = try [open(), open()]
      let (inside, most, times) = (Counter(), Counter(), Counter())
      inThreads(4) { thread in
        let owners = processes[thread % 2]
        for _ in 0..<300 {
          while (try? owners.tryLock(BytePlace(1 << 62), for: UInt64(thread + 1))) != .locked { sched_yield() }
          if inside.add(1) > 1 { most.add(1) }
          times.add(1)
          inside.add(-1)
          if owners.unlock(BytePlace(1 << 62), of: UInt64(thread + 1)) != .free { most.add(1) }
        }
      }
      #expect(most.value == 0 && times.value == 1200)
    }

    // MARK: Records of locks

    @Test func aLockHasARecord() throws {
      let (one, other) = try (open(), open())
      #expect(one.noted(7, 55) == nil && one.holder(7, 55) == nil)
      let first = one.noteAcquired(7, 55)
      #expect(first.before == nil && first.token > 0)
      let noted = try #require(other.noted(7, 55))
      #expect(noted.owner == one.id && noted.processID == Int(getpid()) && noted.token == first.token)
      #expect(other.holder(7, 55) == Int(getpid()))
      // Other locks, and an earlier lock with the same place.
      #expect(other.noted(6, 55) == nil && other.noted(8, 55) == nil && other.noted(7, 54) == nil)
      let second = other.noteAcquired(7, 55)
      #expect(second.before?.owner == one.id && second.token > first.token)
      other.noteReleased(7)
      let released = try #require(one.noted(7, 55))
      #expect(released.owner == OwnerID.none && released.token == second.token && one.holder(7, 55) == nil)
    }

    @Test func acquisitionsHaveGrowingNumbers() throws {
      let owners = try open()
      var last: UInt64 = 0
      for round in 0..<200 {
        // The file may lose the record.
        if round % 20 == 19 { owners.trimNotes(from: 0) }
        let token = owners.noteAcquired(3, 9).token
        #expect(token > last)
        last = token
      }
    }

    /// A number of the future, after the clock was set back, is followed by its successor.
    @Test func aNumberOfTheFutureIsFollowedByTheNext() throws {
      let owners = try open()
      _ = owners.noteAcquired(0, 9)
      var bytes = try directory.read("owners")
      bytes.replaceSubrange(65_536 + 24..<65_536 + 32, with: [0, 0, 0, 0, 0, 0, 0, 0x40])
      try overwrite(bytes)
      #expect(owners.noteAcquired(0, 9).token == 0x40 << 56 + 1)
    }

    @Test func aRecordThatIsCutShortHasNoNumber() throws {
      let owners = try open()
      _ = owners.noteAcquired(1, 77)
      for size in [24, 31, 32] {
        truncate(directory.file("owners"), off_t(65_536 + 32 + size))
        let noted = owners.noted(1, 77)
        #expect(noted?.owner == owners.id, "\(size)")
      }
      truncate(directory.file("owners"), 65_536 + 32 + 24)
      #expect(owners.noted(1, 77)?.token == 0)
      truncate(directory.file("owners"), 65_536 + 32 + 23)
      #expect(owners.noted(1, 77) == nil)
    }

    @Test func trimmingFreesTheRecordsFromAnIndexOn() throws {
      let owners = try open()
      for index in 0..<10 as Range<UInt64> { _ = owners.noteAcquired(index, index + 100) }
      owners.trimNotes(from: 20)
      #expect(try directory.read("owners").count == 65_536 + 320)
      owners.trimNotes(from: 4)
      #expect(try directory.read("owners").count == 65_536 + 128)
      for index in 0..<10 as Range<UInt64> { #expect((owners.noted(index, index + 100) != nil) == (index < 4)) }
      #expect(owners.processID(owners.slot) == Int(getpid()))
    }
  }
#endif
