import Foundation
import TestSupport
import Testing

/// Misuse that must not compile.
@Suite(.timeLimit(.minutes(20)), .serialized)
struct RefusalTests {
  private static let prologue = """
    import LMDBShare
    struct Kept: ~Copyable { var transaction: ReadTransaction }
    func use(_ store: SharedStore, _ names: SharedList<String>, _ samples: SharedArray<Int32>) async throws {

    """

  /// Compiles a function body with the library; returns the compiler's output.
  private func compile(_ body: String) throws -> (status: Int32, output: String) {
    try Compiler.compile("\(Self.prologue)\(body)\n}\n")
  }

  @Test func theSameWithoutMisuseCompiles() throws {
    let result = try compile(
      """
        let count = try store.read { txn in txn[names].count }
        try await store.write { txn in txn[names].append("\\(count)") }
        func later() throws { try store.write { txn in txn[samples][0] = 1 } }
        try later()
        try store.read { txn in try txn[samples].withSpan(at: 0) { span, _ in print(span.count) } }
      """)
    #expect(result.status == 0, "\(result.output)")
  }

  @Test(arguments: [
    (
      "a transaction kept",
      "var kept: Kept?; try store.read { txn in kept = Kept(transaction: txn) }; _ = consume kept",
      "cannot be consumed|'txn' used after consume|missing reinitialization"
    ),
    (
      "a transaction in a task", "try store.read { txn in _ = Task { print(txn[names].count) } }",
      "escaping closure captures 'inout' parameter|sending"
    ),
    (
      "a view in a task",
      "try store.read { txn in let view = txn[names]; _ = Task { print(view.count) }; print(view.count) }",
      "sending|data race|non-Sendable|non-sendable"
    ),
    (
      "a view out of an asynchronous write", "_ = try await store.write { txn in txn[names] }",
      "sending"
    ),
    (
      "a span kept",
      "let kept: Span<Int32> = try store.read { txn in try txn[samples].withSpan(at: 0) { span, _ in span } }; _ = kept",
      "Escapable|escape|lifetime|ransferred|Span"
    ),
    (
      "await inside of a write",
      "try await store.write { txn in try await Task.sleep(for: .seconds(1)); txn[names].append(\"a\") }",
      "async"
    ),
    (
      "await inside of a read", "try store.read { txn in await Task.yield(); print(txn[names].count) }",
      "async"
    ),
    (
      "a change inside of a read", "try store.read { txn in txn[names].append(\"a\") }",
      "cannot use mutating member on immutable value"
    ),
    (
      "a change of an element inside of a read", "try store.read { txn in txn[samples][0] = 1 }",
      "get-only|immutable"
    ),
    (
      "a synchronous write in a task", "try store.write { txn in txn[names].append(\"a\") }",
      "async"
    ),
    (
      "an array of elements without a fixed size", "_ = try store.array(\"a\", of: String.self, count: 3)",
      "FixedSizeStorable"
    ),
    (
      "another element type", "try await store.write { txn in txn[names].append(5) }",
      "cannot convert|Int"
    ),
  ])
  func misuseDoesNotCompile(_ what: String, _ body: String, _ reason: String) throws {
    let result = try compile(body)
    #expect(result.status != 0, "\(what) compiles")
    #expect(result.output.range(of: reason, options: .regularExpression) != nil, "\(what): \(result.output)")
    #expect(result.output.range(of: "no such module", options: .regularExpression) == nil, "\(result.output)")
  }
}
