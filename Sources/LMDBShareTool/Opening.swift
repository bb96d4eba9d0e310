#if CommandLineTools
  import LMDBShare
  import LMDBShareOperations

  extension Opened {
    convenience init(
      _ argument: StoreArgument, _ pages: StoreArgument.PageCheck = .whenSmall,
      _ reading: ReadingOption = .locked
    ) throws {
      let path = argument.path
      if let directory = Self.directory(ofDataFile: path) {
        throw Problem(
          "\(Printable.text(path)) is the data file of a store; give its directory, \(Printable.text(directory))")
      }
      let (store, environment) = try argument.opening { () -> (SharedStore?, Environment) in
        if !StoreDirectory.isFile(path) {
          do {
            let store = try SharedStore(path: path, options: argument.options(reading.access, pages))
            return (store, store.environment)
          } catch let error as StoreError where error.code == .notAStore {
            // An environment of another program is read as it is.
          }
        }
        var options = Opened.foreign(argument)
        options.checkPages = argument.checks(pages)
        options.isUnlocked = reading.unlocked
        let environment = try Environment.open(path: path, options: options) { (_) throws(StoreError) in }
        return (nil, environment)
      }
      self.init(store, environment)
    }

    /// The directory whose data file a path is; nil for anything else. Opened as a single file it would have another lock file
    /// than for processes that open the directory, so that writers would not see this reader.
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
  }
#endif
