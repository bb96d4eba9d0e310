import Foundation
import LMDBShare
import TestSupport
import Testing

/// A store is known by its identity, and refused where it requires what a program does not know.
struct IdentityTests {
  @Test func processesThatAskAtOnceGetTheSame() throws {
    let test = try TestStore()
    let workers = try (0..<4).map { _ in try Program("TestWorker", ["identity", test.path]) }
    for worker in workers { #expect(worker.line() == "ready") }
    for worker in workers { worker.release() }
    let identities = workers.map { $0.line() ?? "" }
    #expect(Set(identities).count == 1 && identities[0].count == 32, "\(identities)")
    #expect(try test.store.identity() == identities[0])
  }

  @Test func copiesKeepItAndOtherStoresHaveTheirOwn() async throws {
    let test = try TestStore()
    let identity = try await test.store.identity()
    for compacting in [false, true] {
      let path = test.path + "-copy-\(compacting)"
      try await test.store.backup(to: path, compacting: compacting)
      #expect(try await SharedStore(path: path).identity() == identity)
    }
    #expect(try await TestStore().store.identity() != identity)
  }

  @Test func aStoreThatRequiresMoreIsRefused() throws {
    let test = try TestStore()
    let core = try test.store.environment.beginWrite()
    let key = Array(".requires".utf8)
    withBytes(of: key) { key in
      withBytes(of: Array("replicated".utf8)) { _ = core.put(test.store.environment.catalogue, key, $0) }
    }
    try test.store.environment.commit(core)
    let refused = try Program.run("TestWorker", "open", test.path)
    #expect(refused.status == 3 && refused.output.hasPrefix("error newerFormat"), "\(refused)")
    #expect(refused.output.contains("'replicated'"))
  }
}
