#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lmdbshare",
      abstract: "Inspect, change, watch and maintain stores that processes share.",
      discussion: """
        STORE is a store's directory. It may be omitted if LMDBSHARE_STORE names one, and the next argument is not itself a \
        store.

        Exit codes: 0 done, 1 failed, 2 damage or findings, 3 not found, 4 busy or timed out, 64 usage.
        """,
      version: SharedStore.libraryVersion,
      subcommands: [Manual.self],
      groupedSubcommands: [
        CommandGroup(name: "Looking", subcommands: [Info.self, ListStructures.self, Show.self, Get.self]),
        CommandGroup(
          name: "Changing",
          subcommands: [SetEntry.self, Append.self, Insert.self, Increment.self, Delete.self, Apply.self]),
        CommandGroup(
          name: "Queues", subcommands: [Push.self, Pop.self, Peek.self, Leases.self, DeadLetters.self]),
        CommandGroup(name: "Copies", subcommands: [Dump.self, Load.self, Backup.self, Compact.self, Trim.self]),
        CommandGroup(name: "Looking after", subcommands: [Watch.self, Top.self, Readers.self, Doctor.self, Diff.self]),
        CommandGroup(name: "Structures", subcommands: [Create.self, Drop.self, Rename.self, Clear.self]),
      ])
  }

  @main
  struct Main {
    static func main() {
      Stream.ignoreClosedPipes()
      do {
        guard let arguments = ProgramArguments.all else {
          throw Problem(
            "the arguments of this program are not available: the system provides them in /proc, which is not mounted; "
              + "mount it (mount -t proc proc /proc)")
        }
        if let number = ProgramArguments.firstThatIsNoText {
          throw ValidationError(
            "Argument \(number) is not UTF-8. Values that are bytes are written as 0x and hexadecimal digits.")
        }
        var command = try StoreArgument.parse(arguments)
        do {
          try command.run()
        } catch let error as ValidationError {
          Failure.exit(error, of: type(of: command))
        } catch let error as Misuse {
          Failure.exit(ValidationError(error.message), of: type(of: command))
        }
      } catch {
        Failure.exit(error)
      }
    }
  }
#else
  @main
  struct Inspect {
    static func main() { print("lmdbshare was built without the trait CommandLineTools") }
  }
#endif
