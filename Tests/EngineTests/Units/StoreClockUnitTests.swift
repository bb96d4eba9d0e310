#if DEBUG
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct StoreClockUnitTests {
    private let environment: Environment
    private let store: SharedStore
    private let clock = StoreClock()

    init() throws {
      store = try SharedStore(path: TemporaryDirectory().path, options: .durability(.processCrashOnly))
      environment = store.environment
    }

    private func read(_ body: (Transaction) -> Void) throws {
      let core = try environment.beginRead()
      defer { core.end() }
      body(core)
    }

    @Test func anOffsetThatWasReadIsRemembered() throws {
      #expect(clock.offset == nil)
      try read { clock.noteRead(5, in: $0) }
      #expect(clock.offset == 5)
      try read { clock.noteRead(-7, in: $0) }
      #expect(clock.offset == -7)
    }

    /// A transaction that stores an offset may be undone, and another one with the same number, too.
    @Test func anUncommittedOffsetIsNotRemembered() throws {
      for _ in 0..<2 {
        let writer = try environment.beginWrite()
        clock.noteRead(1, in: writer)
        clock.noteStored(in: writer)
        clock.noteRead(2, in: writer)
        #expect(clock.offset == 1 || clock.offset == nil)
        environment.abort(writer)
      }
      // A reader sees only what was committed.
      try read { clock.noteRead(3, in: $0) }
      #expect(clock.offset == 3)
      // The next transaction's number is another one when this one is committed.
      let writer = try environment.beginWrite()
      clock.noteStored(in: writer)
      _ = try writer.createDatabase("made", [])
      try environment.commit(writer)
      let next = try environment.beginWrite()
      clock.noteRead(4, in: next)
      #expect(clock.offset == 4)
      environment.abort(next)
    }

    @Test func anotherBootHasAnotherOffset() throws {
      #expect(clock.boot == Boot.name)
      try read { clock.noteRead(5, in: $0) }
      clock.pretend(boot: "another")
      #expect(clock.boot == "another" && clock.offset == nil)
      try read { clock.noteRead(6, in: $0) }
      #expect(clock.offset == 6)
    }
  }
#endif
