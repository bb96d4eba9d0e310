internal import _LMDBShareLMDB
internal import _LMDBShareSystem

/// The only conversion of a return code (LMDB's, or an errno) to an error.
@inline(__always)
func check(_ code: Int32, _ operation: @autoclosure () -> String) throws(StoreError) {
  if code != 0 { throw StoreError(returnCode: code, operation()) }
}

/// The conversion for calls that return -1 and leave the reason in `errno`.
@inline(__always)
@discardableResult
func checkErrno(_ result: Int32, _ operation: @autoclosure () -> String) throws(StoreError) -> Int32 {
  if result < 0 { throw StoreError(returnCode: lms_errno(), operation()) }
  return result
}

extension StoreError {
  /// The error for a non-zero return code of LMDB or the operating system.
  package init(returnCode: Int32, _ operation: String) {
    let words = unsafe String(cString: mdb_strerror(returnCode))
    let known = StoreError.known[returnCode]
    self.init(
      known?.code ?? .system, operation, reason: known?.reason ?? words,
      advice: known?.advice ?? "the system said: \(words) (\(returnCode))", underlying: returnCode)
  }

  /// The error when LMDB cannot register this process as a reader.
  init(beginning code: Int32, _ operation: String) {
    guard code == EAGAIN else {
      self.init(returnCode: code, operation)
      return
    }
    self.init(
      .processNumberTaken, operation,
      reason: "another process that has the store open has the same number as this one",
      advice: "let both run in one pid namespace (of containers: share it), so that LMDB can distinguish its readers",
      underlying: code)
  }

  private static let known: [Int32: (code: Code, reason: String, advice: String)] = [
    MDB_MAP_FULL: (
      .mapFull, "the store is full", "remove data or compact it, or open it with a larger maximumSize"
    ),
    MDB_READERS_FULL: (
      .readersFull, "all reader slots are in use",
      "end snapshots that are not needed, or open the store with more maximumReaders while no process has it open"
    ),
    MDB_BAD_RSLOT: (
      .readerLost, "this process has lost its slot in the reader table",
      "programs in other containers or PID namespaces clear slots of processes that they do not see: let all that use "
        + "the store share one; never remove or replace lock.mdb while the store is open; then open the store again"
    ),
    MDB_DBS_FULL: (
      .structuresFull, "too many structures are in use", "open the store with a larger maximumStructures"
    ),
    MDB_TXN_FULL: (
      .transactionTooLarge, "the transaction touches too many pages", "split it into several"
    ),
    MDB_CORRUPTED: (.damaged, "a page of data.mdb is damaged", "restore a backup"),
    MDB_PAGE_NOTFOUND: (.damaged, "a page of data.mdb is missing", "restore a backup"),
    MDB_INVALID: (.notAStore, "data.mdb is not an LMDB file", "check the path"),
    MDB_VERSION_MISMATCH: (
      .foreignFormat, "the files were made by another version of LMDB", "use the program that made them"
    ),
    MDB_PANIC: (
      .outcomeUnknown, "an earlier write to the disk failed", "read to see whether it is there, then try again"
    ),
    MDB_BAD_VALSIZE: (.outOfRange, "a key or value has a size that LMDB refuses", "use a shorter one"),
    MDB_KEYEXIST: (.notSorted, "a key is not greater than the one before", "sort the keys, and give each once"),
    MDB_INCOMPATIBLE: (
      .structureRemoved, "the structure was created again with another layout", "open it again"
    ),
    MDB_BAD_DBI: (.structureRemoved, "the structure is gone", "open it again"),
    ENOSPC: (.diskFull, "no space is left on the disk", "make room and try again; nothing of this write is stored"),
    EDQUOT: (.diskFull, "the disk quota is used up", "make room and try again; nothing of this write is stored"),
    EFBIG: (.diskFull, "the file may not grow further", "raise the file size limit (ulimit -f) and try again"),
    EACCES: (.permissionDenied, "access is denied", "check owner and mode of the path"),
    EPERM: (.permissionDenied, "the operation is not permitted", "check owner and mode of the path"),
    EROFS: (.permissionDenied, "the file system is read-only", "open the store with access: .readOnly"),
    ENOENT: (.storeNotFound, "there is nothing at this path", "check the path"),
    ENOTDIR: (.wrongFileKind, "a part of the path is not a directory", "check the path"),
    ELOOP: (.wrongFileKind, "a symbolic link is in the place of a file", "put the file itself there"),
    ENOMEM: (
      .resourceLimit, "memory or address space is used up",
      "raise the limit (ulimit -v), or open the store with a smaller mapReservation"
    ),
    EAGAIN: (.resourceLimit, "the system has no room for another process or thread", "raise the limit (ulimit -u)"),
    EMFILE: (.resourceLimit, "the process has too many open files", "raise the limit (ulimit -n)"),
    ENFILE: (.resourceLimit, "the system has too many open files", "raise its limit"),
    EIO: (
      .inputOutput, "the disk reported an error", "check the disk; what was acknowledged before is still committed"
    ),
  ]
}
