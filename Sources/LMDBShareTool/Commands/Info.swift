#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  struct Info: StoreCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the size, contents and readers of a store.",
      discussion: "Example:\n  lmdbshare info team.lmdb --format json")

    @OptionGroup var store: StoreArgument
    @OptionGroup var reading: ReadingOption
    @OptionGroup var output: FormatOption

    func run() throws {
      let file = try Opened(store, .whenSmall, reading)
      let numbers = try file.statistics()
      let trees = try file.databases().map(\.tree)
      let freeList = try file.reading { $0.statistics(Database.freeList) }
      let active = numbers.others.filter { $0.snapshotID != nil }
      let lag = active.compactMap(\.lag).max() ?? 0
      func size(_ name: StaticString, _ bytes: Int, title: String, _ more: String = "") -> Records.Field {
        .init(name, .number(bytes), title: title, text: Size.text(bytes) + more)
      }
      func sum(_ pages: KeyPath<TreeStatistics, Int>) -> Int { trees.map { $0[keyPath: pages] }.boundedSum() }
      let freeShare = numbers.pages > 0 ? 100 * min(numbers.freePages, numbers.pages) / numbers.pages : 0
      let freeListPages = [freeList.branchPages, freeList.leafPages, freeList.overflowPages].boundedSum()
      try Records.single(
        [
          .init("path", .text(store.path)),
          .init("format", .text(file.format)),
          .init("lmdb", .text(Environment.libraryVersion), title: "liblmdb"),
          size("usedBytes", numbers.usedBytes, title: "used"),
          size("fileBytes", numbers.fileBytes, title: "file"),
          size("allocatedBytes", numbers.allocatedBytes, title: "on disk"),
          size("reservedBytes", numbers.reservedBytes, title: "reserved", " of address space"),
          size("pageSize", numbers.pageSize, title: "page size"),
          .init("pages", .number(numbers.pages)),
          .init("branchPages", .number(sum(\.branchPages)), title: "  branches"),
          .init("leafPages", .number(sum(\.leafPages)), title: "  leaves"),
          .init("overflowPages", .number(sum(\.overflowPages)), title: "  long values"),
          .init(
            "freePages", .number(numbers.freePages), title: "  free",
            text: "\(numbers.freePages) (\(freeShare) %)"),
          .init("freeListPages", .number(freeListPages), title: "  list of free"),
          .init("lastTransaction", .number(numbers.lastTransaction), title: "transaction"),
          .init(
            "unsynced", .bool(file.hasUnsyncedCommits), title: "durability",
            text: file.hasUnsyncedCommits ? "some commits may only be in memory" : "no unsynced commits"),
          .init(
            "readers", .number(active.count),
            text: "\(active.count) reading" + (lag > 0 ? ", the oldest \(lag) transactions behind" : "")),
          .init("readerSlots", .number(numbers.maximumReaders), title: "reader slots"),
          .init(
            "structures", .number(file.store == nil ? trees.count - 1 : numbers.structures.count),
            title: file.store == nil ? "databases" : "structures"),
        ], output.format, output.style)
    }
  }
#endif
