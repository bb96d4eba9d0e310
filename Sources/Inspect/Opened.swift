#if CommandLineTools
  import LMDBShare

  /// A store, or an LMDB environment that other programs made, open for reading.
  final class Opened {
    let environment: Environment
    /// Nil when it is not one of ours.
    let store: SharedStore?

    init(_ argument: StoreArgument, _ pages: StoreArgument.PageCheck = .whenSmall) throws {
      do throws(StoreError) {
        let store = try SharedStore(path: argument.path, options: argument.options(.readOnly, pages))
        self.store = store
        environment = store.environment
      } catch {
        guard error.code == .notAStore else { throw error }
        store = nil
        var options = Opened.foreign
        options.checkPages = argument.checks(pages)
        environment = try Environment.open(path: argument.path, options: options) { (_) throws(StoreError) in }
      }
    }

    private static var foreign: EnvironmentOptions {
      var options = EnvironmentOptions()
      options.isReadOnly = true
      options.createIfMissing = false
      options.allowForeignOwner = true
      return options
    }

    deinit { if store == nil { environment.close() } }

    var format: String { store == nil ? "LMDB, of another program" : "lmdbshare 1" }

    /// Whether commits were made that may not be on disk.
    var hasUnsyncedCommits: Bool {
      (try? environment.directory.descriptor.status(of: StoreDirectory.unsyncedFile)).flatMap { $0 } != nil
    }

    func statistics() throws -> StoreStatistics { try store?.statistics() ?? environment.statistics() }

    /// A database and its tree.
    struct Database {
      /// Nil for the unnamed one.
      var name: String?
      var number: UInt32
      var tree: TreeStatistics
      var layout: DatabaseLayout
    }

    /// All databases, the unnamed one first.
    func databases() throws -> [Database] {
      let names = try environment.databaseNames()
      return try reading { core in
        var found = [
          Database(
            number: Transaction.main, tree: core.statistics(Transaction.main), layout: core.layout(Transaction.main))
        ]
        for name in names {
          guard let number = environment.knownDatabase(name) else { continue }
          found.append(Database(name: name, number: number, tree: core.statistics(number), layout: core.layout(number)))
        }
        return found
      }
    }

    /// Calls `body` with one snapshot; throws what could not be read of it.
    func reading<R>(_ body: (Transaction) throws -> R) throws -> R {
      let core = try environment.beginRead()
      defer { core.end() }
      let result = try body(core)
      if let failure = core.failure { throw failure }
      return result
    }
  }
#endif
