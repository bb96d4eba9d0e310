#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  /// How the program ends when a command failed.
  enum Failure {
    static let damage = ExitCode(Status.damage.rawValue)
    static let busy = ExitCode(Status.busy.rawValue)

    /// The exit code with which shells report a program that a signal has ended.
    static func interrupted(by signal: Int32) -> ExitCode { ExitCode(128 + signal) }

    /// Prints the error, and exits with its code.
    static func exit(_ error: any Error) -> Never {
      switch error {
      case is ClosedPipe: Inspect.exit(withError: ExitCode.success)
      case let error as StoreError:
        // The error escapes what it quotes.
        say(error.forTheTool.description)
        Inspect.exit(withError: ExitCode(Status(error.code).rawValue))
      case let error as Problem:
        say(error.description)
        Inspect.exit(withError: ExitCode(error.status.rawValue))
      case let error as Interrupted:
        say("interrupted; nothing was changed")
        Inspect.exit(withError: interrupted(by: error.signal))
      case let error as ValueProblem:
        say(error.description)
        Inspect.exit(withError: ExitCode(Status.failed.rawValue))
      default: exit(parsing: error)
      }
    }

    /// Exits as the parser of the arguments does, whose messages may quote what was typed.
    private static func exit(parsing error: any Error) -> Never {
      let code = Inspect.exitCode(for: error)
      if code.isSuccess { Inspect.exit(withError: error) }
      let text = Printable.lines(Inspect.fullMessage(for: error))
      if !text.isEmpty { _ = Stream.errors.write(Array("\(text)\n".utf8)) }
      Inspect.exit(withError: code)
    }

    /// Prints an error in the arguments of a command, as their parser does.
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
  }
#endif
