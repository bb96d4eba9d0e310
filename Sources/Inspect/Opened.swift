#if CommandLineTools
  import LMDBShare

  /// A store, or an LMDB environment that other programs made, open for reading.
  final class Opened {
    let environment: Environment
    /// Nil when it is not one of ours.
    let store: SharedStore?

    init(
      _ argument: StoreArgument, _ pages: StoreArgument.PageCheck = .whenSmall,
      _ reading: ReadingOption = .locked
    ) throws {
      let path = argument.path
      if let directory = Self.directory(ofDataFile: path) {
        throw Problem(
          "\(Printable.text(path)) is the data file of a store; give its directory, \(Printable.text(directory))")
      }
      (store, environment) = try argument.opening {
        if !StoreDirectory.isFile(path) {
          do throws(StoreError) {
            let store = try SharedStore(path: path, options: argument.options(reading.access, pages))
            return (store, store.environment)
          } catch {
            guard error.code == .notAStore else { throw error }
          }
        }
        var options = Opened.foreign(argument)
        options.checkPages = argument.checks(pages)
        options.isUnlocked = reading.unlocked
        let environment = try Environment.open(path: path, options: options) { (_) throws(StoreError) in }
        return (nil, environment)
      }
    }

    /// The directory whose data file a path is; nil for anything else. Opened by itself it would have another lock file than
    /// for those who open the directory, so that writers would not see who reads.
    private static func directory(ofDataFile path: String) -> String? {
      let name = "/" + StoreDirectory.dataFile
      guard path == StoreDirectory.dataFile || path.hasSuffix(name), StoreDirectory.isFile(path) else { return nil }
      let directory = path.hasSuffix(name) ? String(path.dropLast(name.count)) : "."
      return StoreDirectory.isFile(directory + "/" + StoreDirectory.lockFile) ? directory : nil
    }

    private static func foreign(_ argument: StoreArgument) -> EnvironmentOptions {
      var options = EnvironmentOptions()
      options.isReadOnly = true
      options.createIfMissing = false
      options.allowForeignOwner = true
      options.openingTimeout = argument.limit.duration
      options.mayBeFile = true
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
      var tree: TreeStatistics
      var layout: DatabaseLayout
    }

    /// What the unnamed database is called for people.
    static let unnamed = "(main)"

    /// Whether a name means the unnamed database: a named one goes first.
    static func isUnnamed(_ name: String, in databases: [Database]) -> Bool {
      name == unnamed && !databases.contains { $0.name == name }
    }

    /// All databases, the unnamed one first.
    func databases() throws -> [Database] {
      try reading { core in
        var found = [Database(tree: core.statistics(Transaction.main), layout: core.layout(Transaction.main))]
        for name in try core.databaseNames() {
          let database = try core.withDatabase(name) { number in
            Database(name: name, tree: core.statistics(number), layout: core.layout(number))
          }
          if let database { found.append(database) }
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
