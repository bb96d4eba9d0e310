package import LMDBShare

/// The exit status of a program that could not do what was requested.
package enum Status: Int32 {
  case failed = 1
  case damage = 2
  case notFound = 3
  case busy = 4
  /// As for wrong arguments.
  case misuse = 64

  package init(_ code: StoreError.Code) {
    self =
      switch code {
      case .damaged, .truncated, .emptyFile, .undecodable, .unsynced: .damage
      case .storeNotFound, .structureNotFound, .structureRemoved: .notFound
      case .writerBusy, .busy, .timedOut, .readersFull, .queueFull, .deadlock: .busy
      default: .failed
      }
  }
}

/// The error for a request that makes no sense.
package struct Misuse: Error {
  /// What is wrong, and what is possible.
  package let message: String
  package init(_ message: String) { self.message = message }
}

/// The reason why a request cannot be fulfilled.
package struct Problem: Error, CustomStringConvertible {
  package let description: String
  /// The exit status of the program.
  package let status: Status

  /// - Parameter text: What, where, and what to do; names in it must be made printable.
  package init(_ text: String, _ status: Status = .failed) {
    description = text
    self.status = status
  }
}

extension StoreError {
  /// The same error with advice for users of the tool, where the library's advice names its own methods.
  package var forTheTool: StoreError {
    if let processID, code == .writerBusy { return blocked(by: processID) }
    let advice: String? =
      switch code {
      case .unsynced:
        "if the machine was shut down in an orderly way, let doctor --trust check every page; else restore a backup"
      case .queueFull: "take items first, push fewer at a time, or allow time with --wait or --timeout"
      case .queueClosed: "give the item to another queue; programs can open it again"
      case .permissionDenied where self.advice.contains(".readOnlyUnlocked"):
        "give the permission (for two users: a group, and mode 0660); or, if no process writes to the store meanwhile, "
          + "read it with --unlocked"
      case .mapFull: "remove data, or let a program open it with a larger maximumSize or mapReservation and write"
      default: nil
      }
    guard let advice else { return self }
    return StoreError(
      code, operation, structure: structure, reason: reason, advice: advice, underlying: underlying,
      processID: processID)
  }

  /// The error that a process writes, with its program, and whether it is stopped.
  private func blocked(by process: Int) -> StoreError {
    let isStopped = Processes.isStopped(process)
    return StoreError(
      code, operation, structure: structure, reason: "process \(Processes.title(process)) is writing",
      advice: isStopped
        ? "let it continue (kill -CONT \(process)) or end it, or allow more time with --timeout"
        : "try again, or allow more time with --timeout", underlying: underlying, processID: process)
  }
}
