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
        The files go through a queue; a worker leases a file, counts it and, in one transaction, acknowledges the lease \
        and adds its words to a dictionary, its path to a list, its total to a value and its word lengths to an array. \
        So every file counts once, whatever happens to the workers.
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

    func validate() throws {
      guard Worker.current == nil else { return }
      if paths.isEmpty { throw ValidationError("give at least one file or directory") }
      if !(1...256).contains(workers) { throw ValidationError("--workers takes a number from 1 to 256") }
      if killWorkers < 0 { throw ValidationError("--kill-workers takes 0 or more") }
    }

    func run() throws {
      if let worker = Worker.current { return try Job(worker.openStore()).work() }
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
      let isRight = try count(Job(shared))
      if !isRight { throw ExitCode.failure }
    }

    private func count(_ job: Job) throws -> Bool {
      let start = ContinuousClock.now
      let files = try Files.find(paths)
      // Workers that are killed on purpose do not count as failures.
      let pool = try WorkerPool(
        workers, role: "count", store: job.store, maximumEarlyDeaths: killWorkers > 0 ? nil : 5)
      try feed(files, to: job, pool)
      let progress = Progress()
      while true {
        let (finished, known) = try job.finished()
        progress.show(finished, of: files.count)
        if finished == files.count { break }
        _ = try job.store.waitForChange(of: [job.done, job.skipped], after: known, timeout: .seconds(1))
      }
      progress.end()
      try pool.wait()
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
        "files \(done.count), words \(words), distinct \(counts.count), workers \(workers), killed \(pool.restarts), "
          + "seconds \(String(format: "%.2f", seconds))\(verdict)")
      return isRight
    }

    /// Pushes the files in parts, and kills a worker after each part but the last.
    private func feed(_ files: [String], to job: Job, _ pool: WorkerPool) throws {
      let cuts = (0..<killWorkers).map { _ in Int.random(in: 0...files.count) }.sorted()
      var start = 0
      for (number, cut) in cuts.enumerated() {
        try job.files.push(contentsOf: files[start..<cut])
        start = cut
        Thread.sleep(forTimeInterval: Double.random(in: 0...0.03))
        // A dead worker is replaced after a pause; until then there may be none.
        var victim: WorkerProcess?
        while pool.restarts <= number {
          if let error = pool.error { throw error }
          if victim == nil {
            victim = pool.workers.randomElement()
            victim?.kill()
          }
          Thread.sleep(forTimeInterval: 0.001)
        }
      }
      try job.files.push(contentsOf: files[start...])
      try job.files.close()
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
