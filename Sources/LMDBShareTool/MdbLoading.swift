#if CommandLineTools
  package import LMDBShare
  import LMDBShareOperations

  extension Mdb {
    /// Reads databases into a new environment.
    ///
    /// - Parameter limit: How long to wait for other processes, which may have found it already.
    static func load(
      _ input: Stream, into environment: Environment, within limit: TimeLimit
    ) throws -> (databases: Int, entries: Int) {
      let core = try limit.watching("write to", environment.directory.path) { _ in
        try environment.beginWrite(until: limit.deadline)
      }
      do {
        let counts = try load(input, core, environment)
        if let failure = core.failure { throw failure }
        try environment.commit(core)
        return counts
      } catch {
        if core.isLive { environment.abort(core) }
        throw error
      }
    }

    /// Does the same for tests, with the usual types.
    package static func load(_ input: Stream, into environment: Environment, within time: Duration) throws {
      _ = try load(input, into: environment, within: TimeLimit(time))
    }
  }
#endif
