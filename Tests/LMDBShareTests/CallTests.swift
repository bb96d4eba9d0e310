import Testing

/// Calls that must compile, wherever a program makes them: each blocking method has a synchronous and an asynchronous form, and
/// the compiler chooses the right one.
struct CallTests {
  private static let modes = [
    "-swift-version 6", "-swift-version 5", "-swift-version 6 -default-isolation MainActor",
    "-swift-version 6 -O",
  ]

  /// One call of each kind: only `try` on a thread, `try await` in a task.
  private static func calls(_ call: String) -> String {
    """
      \(call) store.write { txn in txn[names].append("a") }
      \(call) store.write(timeout: .seconds(1)) { txn in txn[total] += 1 }
      let written = \(call) store.write { txn in txn[names].popFirst() }
      \(call) names.append("b")
      \(call) names.append(contentsOf: ["c", "d"])
      \(call) names.write { $0.sort() }
      let removed = \(call) names.remove(at: 0)
      \(call) names.removeAll { $0.isEmpty }
      \(call) scores.set(1, forKey: "a")
      \(call) scores.update("a", default: 0) { $0 += 1 }
      let before = \(call) scores.updateValue(3, forKey: "a")
      \(call) samples.set(1, at: 0)
      \(call) total.set(1)
      let sum = \(call) total.update { value in
        value += 1
        return value
      }
      \(call) jobs.push("job", priority: .high)
      \(call) jobs.push(contentsOf: ["one", "two"])
      let job = \(call) jobs.pop()
      let next = \(call) jobs.pop(timeout: .milliseconds(1))
      if let lease = \(call) jobs.lease(for: .seconds(1)) { \(call) jobs.acknowledge(lease) }
      \(call) jobs.close()
      \(call) lock.withLock { _ in }
      \(call) barrier.reset()
      \(call) ready.set()
      \(call) ready.wait(timeout: .seconds(1))
      print(written ?? "", removed, before ?? 0, sum, job ?? "", next ?? "")
      let value = try scores["a"]
      print(value ?? 0, try scores["b", default: 1], try names.count, try total.get(), names, total)

    """
  }

  private static func opened(_ call: String) -> String {
    """
      let store = \(call) SharedStore(path: "store")
      let names = \(call) store.list("names", of: String.self)
      let scores = \(call) store.dictionary("scores", of: String.self, Int.self)
      let samples = \(call) store.array("samples", of: Int32.self, count: 3)
      let total = \(call) store.value("total", initial: 0)
      let jobs = \(call) store.queue("jobs", of: String.self)
      let seen = \(call) store.set("seen", of: String.self)
      let lock = \(call) store.lock("lock")
      let barrier = \(call) store.barrier("barrier", parties: 2)
      let permits = \(call) store.semaphore("permits", permits: 2)
      let ready = \(call) store.event("ready")
      let other = \(call) SharedStore.ephemeral()
      print(seen, permits, other.path)
      let late = \(call) store.write { txn in try txn.list("late", of: Int.self) }
      print(late)

    """
  }

  private static let parameters = """
    _ store: SharedStore, _ names: SharedList<String>, _ scores: SharedDictionary<String, Int>, \
    _ samples: SharedArray<Int32>, _ total: SharedValue<Int>, _ jobs: SharedQueue<String>, _ lock: SharedLock, \
    _ barrier: SharedBarrier, _ ready: SharedEvent
    """

  @Test(arguments: modes)
  func onThreads(_ mode: String) throws {
    try compiles("import LMDBShare\n\(Self.opened("try"))\(Self.calls("try"))", as: "main.swift", mode)
    try compiles("import LMDBShare\nfunc use(\(Self.parameters)) throws {\n\(Self.calls("try"))}\n", mode)
  }

  /// `await` at the top of `main.swift` is allowed there, beside calls without it.
  @Test(arguments: modes)
  func atTheTopOfMain(_ mode: String) throws {
    let both = ["try await", "try"].map { "do {\n\(Self.opened($0))\(Self.calls($0))}\n" }.joined()
    try compiles("import LMDBShare\n\(both)try await Task.sleep(for: .zero)\n", as: "main.swift", mode)
  }

  @Test(arguments: modes)
  func inTasks(_ mode: String) throws {
    let body = "(\(Self.parameters)) async throws {\n\(Self.calls("try await"))}\n"
    try compiles(
      """
      import LMDBShare
      func use\(body)
      actor Worker { func use\(body) }
      @MainActor final class Model { func use\(body) }
      @main struct Program { static func main() async throws {
      \(Self.opened("try await"))\(Self.calls("try await"))} }

      """, mode)
  }

  /// In a task each of them requires `await`: none silently blocks a thread of the pool.
  @Test func blockingCallsAreRefusedInTasks() throws {
    let calls = Self.opened("try") + Self.calls("try")
    let lines = calls.split(separator: "\n")
    let result = try Compiler.compile("import LMDBShare\nfunc use() async throws {\n\(calls)}\n")
    for (index, line) in lines.enumerated() where line.contains("try ") && !line.contains("print(") {
      if line.contains("let value =") { continue }
      #expect(result.output.contains("case.swift:\(index + 3):"), "\(line) compiles")
    }
    #expect(result.output.contains("'async' but is not marked with 'await'"))
  }

  /// The usual ways to catch an error.
  @Test(arguments: ["-swift-version 6", "-swift-version 6 -O", "-swift-version 5 -O"])
  func errorsAreCaught(_ mode: String) throws {
    let forms = [
      "catch let error as StoreError where error.code == .writerBusy { print(error.processID ?? 0) }",
      "catch let error as StoreError { print(error.code, error.advice) }",
      "catch is StoreError { print(1) }",
      "catch let error as StoreError where error.code == .queueFull || error.code == .queueClosed { print(error) } catch { throw error }",
      "catch { print(error) }",
      "catch { if let error = error as? StoreError, error.code == .timedOut { print(error) } else { throw error } }",
      "catch let error as StoreError where [.diskFull, .mapFull].contains(error.code) { print(error) } catch is CancellationError {}",
    ]
    let bodies = [
      "try store.sync()", "let found = try store.statistics(); print(found)", "try store.remove(\"names\")",
      "try store.write { txn in txn[names].append(\"a\") }", "try names.append(\"a\")",
      "_ = try jobs.pop(timeout: .zero)",
      "_ = try store.list(\"other\", of: Int.self); try store.snapshot().end()",
    ]
    var source = "import LMDBShare\n"
    for (number, form) in forms.enumerated() {
      source +=
        "func catch\(number)(_ store: SharedStore, _ names: SharedList<String>, _ jobs: SharedQueue<String>) throws {\n"
      for body in bodies { source += "  do { \(body) } \(form)\n" }
      source += "}\n"
    }
    try compiles(source, mode)
  }

  /// The compiler's message for calls that cannot work says what works.
  @Test(arguments: [
    ("try scores[\"a\"] = 1", "use set(_:forKey:)"), ("for name in try names { print(name) }", "walk the view"),
    ("print(total.value)", "use get(), set(_:) or update(_:)"),
    ("struct Job: Storable { var path = 1 }", "StorageCodec"),
  ])
  func theRightCallIsNamed(_ body: String, _ advice: String) throws {
    let result = try Compiler.compile("import LMDBShare\nfunc use(\(Self.parameters)) throws {\n\(body)\n}\n")
    #expect(result.status != 0 && result.output.contains(advice), "\(result.output)")
  }

  /// Compiles without a warning; but at the top of `main.swift` the compiler chooses the synchronous form, and says so.
  private func compiles(_ source: String, as name: String = "case.swift", _ mode: String) throws {
    let result = try Compiler.compile(source, as: name, mode)
    let said = result.output.split(separator: "\n").filter {
      $0.contains("error:") || $0.contains("warning:") && !$0.contains("no 'async' operations occur")
    }
    #expect(result.status == 0 && said.isEmpty, "\(mode): \(said.joined(separator: "\n"))")
  }
}
