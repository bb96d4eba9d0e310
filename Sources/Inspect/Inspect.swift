#if CommandLineTools
  import ArgumentParser
  import LMDBShare

  @main
  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lmdbshare", abstract: "Looks into stores of lmdbshare.", subcommands: [Info.self])
  }

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tells what a store takes, what is in it and who reads it.")

    @Argument(help: "The store's directory.")
    var store: String

    func run() throws {
      var options = StoreOptions()
      options.access = .readOnly
      options.createIfMissing = false
      print(Report(try SharedStore(path: store, options: options).statistics()).text)
    }
  }
#else
  @main
  struct Inspect {
    static func main() { print("lmdbshare was built without the trait CommandLineTools") }
  }
#endif
