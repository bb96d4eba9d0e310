public import Synchronization

/// A structure as this process has opened it. Handles share it; transactions check that it is still the same structure.
///
/// For the library's own use.
@_documentation(visibility: internal)
public final class StructureReference: Sendable {
  @usableFromInline let environment: Environment
  @usableFromInline let description: StructureDescription
  @usableFromInline let name: String
  /// The index of its elements' representation among those of the codec with which it was opened.
  @usableFromInline let form: Int
  /// The handle of its database in this process.
  @usableFromInline let database: Database
  let catalogue: Database
  /// The version of the catalogue for which this was last confirmed to be the structure of its name.
  @usableFromInline let confirmed = Atomic<UInt64>(0)
  /// The channel that wakes those that wait for its changes.
  @usableFromInline let channel: Channels

  init(_ description: StructureDescription, number: Database, _ environment: Environment, form: Int = 0) {
    self.description = description
    self.form = form
    self.environment = environment
    database = number
    catalogue = environment.catalogue
    name = description.name
    channel = Channels.of(description.identity)
  }

  /// When the leases of the queue were last checked, by the store's clock.
  private let looked = Atomic<UInt64>(0)

  /// Whether the last check was at least 20 ms ago. If so, records the current time as that of the last check.
  func isTimeToLook(_ now: UInt64) -> Bool {
    let last = looked.load(ordering: .relaxed)
    guard now < last || now - last >= 20_000 else { return false }
    looked.store(now, ordering: .relaxed)
    return true
  }

  /// How often a queue's items are decoded before they are taken.
  let prefetches = PrefetchPace()

  /// `kind 'name'`, as used in messages.
  @usableFromInline var title: String { "\(description.kind.rawValue) '\(name)'" }

  /// Returns the error for stored data that contradicts the format.
  func damage(_ reason: String) -> StoreError {
    StoreError(.damaged, "check", structure: name, reason: reason, advice: "restore a backup")
  }
}

extension Transaction {
  /// Returns the handle of the structure's database, after checking that the structure is still the one that was opened.
  ///
  /// The check takes one lookup for each new snapshot, and two when the catalogue has changed.
  @inlinable @inline(__always)
  func use(_ reference: StructureReference) -> Database {
    if recordsVersion.epoch == epoch, belongs(to: reference.environment),
      recordsVersion.version == reference.confirmed.load(ordering: .relaxed)
    {
      return reference.database
    }
    return confirm(reference)
  }

  /// Does the same for a view that will write.
  @inlinable @inline(__always)
  func useForWriting(_ reference: StructureReference) -> Database {
    writtenChannels.formUnion(reference.channel)
    return use(reference)
  }

  @usableFromInline @inline(never)
  func confirm(_ reference: StructureReference) -> Database {
    guard !hasFailed else { return Database.missing }
    guard environment != nil, belongs(to: reference.environment) else {
      fail(
        StoreError(
          .outOfRange, "use", structure: reference.name, reason: "it belongs to another store than this transaction",
          advice: "use a transaction of the structure's store"))
      return Database.missing
    }
    let catalogue = reference.catalogue
    let version = Catalogue.version(catalogue, self)
    if !changedRecords, version == reference.confirmed.load(ordering: .relaxed) {
      recordsVersion = (epoch, version)
      return reference.database
    }
    do throws(StoreError) {
      let now = try Catalogue.description(of: reference.name, catalogue, self)
      guard now?.identity == reference.description.identity else {
        throw StoreError(
          .structureRemoved, "use", structure: reference.name,
          reason: now == nil
            ? "it was removed or renamed since it was opened" : "it was created again since it was opened",
          advice: "open it again")
      }
    } catch {
      fail(error)
      return Database.missing
    }
    recordsVersion = (epoch, version)
    // An uncommitted change may never be committed, and its version may then get another meaning.
    if !changedRecords { reference.confirmed.store(version, ordering: .relaxed) }
    return reference.database
  }
}
