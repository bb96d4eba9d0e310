#if CommandLineTools
  import ArgumentParser
  import LMDBShare

  /// How the program ends when a command did not do what it was asked for.
  enum Failure {
    static let failed = ExitCode(1)
    static let damage = ExitCode(2)
    static let notFound = ExitCode(3)
    static let busy = ExitCode(4)

    /// As a shell tells of a program that a signal has ended.
    static func interrupted(by signal: Int32) -> ExitCode { ExitCode(128 + signal) }

    /// Says what is wrong, and ends with the code for it.
    static func exit(_ error: any Error) -> Never {
      switch error {
      case is ClosedPipe: Inspect.exit(withError: ExitCode.success)
      case let error as StoreError:
        // It escapes what it quotes by itself.
        say(error.forTheTool.description)
        Inspect.exit(withError: code(error.code))
      case let error as Problem:
        say(error.description)
        Inspect.exit(withError: error.code)
      case let error as Interrupted:
        say("interrupted; nothing was changed")
        Inspect.exit(withError: interrupted(by: error.signal))
      case let error as ValueProblem:
        say(error.description)
        Inspect.exit(withError: failed)
      default: exit(parsing: error)
      }
    }

    /// Ends as the parser of the arguments wants it, whose words may quote what was typed.
    private static func exit(parsing error: any Error) -> Never {
      let code = Inspect.exitCode(for: error)
      if code.isSuccess { Inspect.exit(withError: error) }
      let text = Printable.lines(Inspect.fullMessage(for: error))
      if !text.isEmpty { _ = Stream.errors.write(Array("\(text)\n".utf8)) }
      Inspect.exit(withError: code)
    }

    /// Says what is wrong with the arguments of a command, as their parser does.
    static func exit(_ error: ValidationError, of command: any ParsableCommand.Type) -> Never {
      let usage = Inspect.usageString(for: command)
      let name = String(usage.prefix { $0 != "<" && $0 != "[" }.dropLast())
      _ = Stream.errors.write(
        Array(
          Printable.lines("Error: \(error.message)\nUsage: \(usage)\n  See '\(name) --help' for more information.\n")
            .utf8))
      Inspect.exit(withError: ExitCode.validationFailure)
    }

    /// Prints a line on standard error.
    static func say(_ text: String) {
      _ = Stream.errors.write(Array("lmdbshare: \(Printable.lines(text))\n".utf8))
    }

    static func code(_ code: StoreError.Code) -> ExitCode {
      switch code {
      case .damaged, .truncated, .emptyFile, .undecodable, .unsynced: damage
      case .storeNotFound, .structureNotFound, .structureRemoved: notFound
      case .writerBusy, .busy, .timedOut, .readersFull, .queueFull, .deadlock: busy
      default: failed
      }
    }
  }

  /// What the tool itself has to say against a command.
  struct Problem: Error, CustomStringConvertible {
    let description: String
    let code: ExitCode

    /// - Parameter text: What, where, and what to do; names in it must be made printable.
    init(_ text: String, _ code: ExitCode = Failure.failed) {
      description = text
      self.code = code
    }
  }

  extension StoreError {
    /// The same with advice for people, where the library's names its own calls.
    var forTheTool: StoreError {
      if let processID, code == .writerBusy { return blocked(by: processID) }
      let advice: String? =
        switch code {
        case .unsynced:
          "if the machine was shut down in an orderly way, let doctor --trust check every page; else restore a backup"
        case .queueFull: "take items first, push fewer at once, or allow time with --wait or --timeout"
        case .queueClosed: "give the item to another queue; programs can open it again"
        case .permissionDenied where self.advice.contains(".readOnlyUnlocked"):
          "give the permission (for two users: a group, and mode 0660); or, if no process writes to the store meanwhile, "
            + "read it with --unlocked"
        case .mapFull: "remove data, or let a program open it with a larger maximumSize or mapReservation and write"
        default: nil
        }
      guard let advice else { return self }
      return StoreError(
        code, operation, structure: structure, reason: reason, advice: advice, underlying: underlying,
        processID: processID)
    }

    /// That a process writes, with its program, and whether it was stopped.
    private func blocked(by process: Int) -> StoreError {
      let isStopped = Processes.isStopped(process)
      return StoreError(
        code, operation, structure: structure, reason: "process \(Processes.title(process)) is writing",
        advice: isStopped
          ? "let it go on (kill -CONT \(process)) or end it, or allow more time with --timeout"
          : "try again, or allow more time with --timeout", underlying: underlying, processID: process)
    }
  }
#endif
