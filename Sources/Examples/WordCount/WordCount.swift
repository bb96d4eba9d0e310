#if CommandLineTools
  import ArgumentParser
  import Foundation
  import LMDBShare

  @main
  struct WordCount: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "wordcount",
      abstract: "Counts the words of text files with several processes that share a store.",
      discussion: """
        The files go through a queue; a worker counts a file and, in one transaction, takes it from the queue and adds \
        its words to a dictionary, its path to a list, its total to a value and its word lengths to an array. So every \
        file counts once, whatever happens to the workers.
        """)

    @Argument(help: "Files and directories to count.")
    var paths: [String] = []

    @Option(help: "The number of worker processes.")
    var workers = 4

    @Option(help: "The store's directory; shared memory when it is not given.")
    var store: String?

    @Option(help: "How many workers to kill (SIGKILL) and replace at random moments.")
    var killWorkers = 0

    @Flag(help: "Count again in one process and compare.")
    var verify = false

    @Option(name: .customLong("worker-of"), help: .hidden)
    var workerOf: String?

    func validate() throws {
      guard workerOf == nil else { return }
      if paths.isEmpty { throw ValidationError("give at least one file or directory") }
      if !(1...256).contains(workers) { throw ValidationError("--workers takes a number from 1 to 256") }
      if killWorkers < 0 { throw ValidationError("--kill-workers takes 0 or more") }
    }

    func run() throws {
      if let workerOf { return try Job(SharedStore(path: workerOf)).work() }
      let name = "wordcount-\(ProcessInfo.processInfo.processIdentifier)"
      let path: String
      if let store {
        path = store
      } else {
        path = try SharedStore.ephemeral(named: name).path
      }
      defer { if store == nil { try? SharedStore.removeEphemeral(named: name) } }
      let shared = try SharedStore(path: path)
      guard try shared.structures().isEmpty else {
        throw ValidationError("\(path) is in use for something; give a new directory as --store")
      }
      let isRight = try count(Job(shared), path)
      if !isRight { throw ExitCode.failure }
    }

    private func count(_ job: Job, _ path: String) throws -> Bool {
      let start = ContinuousClock.now
      let files = try Files.find(paths)
      let pool = try Workers(workers, store: path)
      try feed(files, to: job, pool)
      let progress = Progress()
      while try job.finished() < files.count {
        progress.show(try job.finished(), of: files.count)
        if try pool.replaceDead() > 0 { FileHandle.standardError.write(Data("a worker died and was replaced\n".utf8)) }
        Thread.sleep(forTimeInterval: 0.005)
      }
      progress.end()
      try job.files.push("")
      pool.wait()
      let elapsed = start.duration(to: .now)

      for line in try job.skipped.read({ Array($0) }) {
        FileHandle.standardError.write(Data("skipped \(line)\n".utf8))
      }
      let (counts, words, done, lengths) = try job.store.read { txn in
        (Dictionary(txn[job.counts]), txn[job.words], Array(txn[job.done]), Array(txn[job.lengths]))
      }
      for (word, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }).prefix(10) {
        print("\(String(count).leftPadded(to: 9)) \(word)")
      }
      var verdict = ""
      var isRight = true
      if verify {
        isRight = try check(files, counts, words, done, lengths, skipped: job.skipped.count)
        verdict = isRight ? ", verified" : ", WRONG"
      }
      let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
      print(
        "files \(done.count), words \(words), distinct \(counts.count), workers \(workers), killed \(pool.killed), "
          + "seconds \(String(format: "%.2f", seconds))\(verdict)")
      return isRight
    }

    /// Pushes the files in parts, and kills a worker behind each part but the last.
    private func feed(_ files: [String], to job: Job, _ pool: Workers) throws {
      let cuts = (0..<killWorkers).map { _ in Int.random(in: 0...files.count) }.sorted()
      var start = 0
      for cut in cuts {
        try job.files.push(contentsOf: files[start..<cut])
        start = cut
        Thread.sleep(forTimeInterval: Double.random(in: 0...0.03))
        try pool.killOne()
      }
      try job.files.push(contentsOf: files[start...])
    }

    private func check(
      _ files: [String], _ counts: [String: Int], _ words: Int, _ done: [String], _ lengths: [Int], skipped: Int
    ) throws -> Bool {
      var expected = Words()
      var readable: [String] = []
      for file in files {
        guard let words = try? Files.words(file) else { continue }
        expected.add(words)
        readable.append(file)
      }
      return counts == expected.counts && words == expected.total && lengths == expected.lengths
        && done.sorted() == readable && skipped == files.count - readable.count
    }
  }

  extension String {
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
  }
#else
  @main
  struct WordCount {
    static func main() { print("wordcount was built without the trait CommandLineTools") }
  }
#endif
