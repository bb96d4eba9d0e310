internal import LMDBSharePages
internal import _LMDBShareLMDB
internal import _LMDBShareSystem

/// The data file, mapped for reading, from which this process's readers look up entries by themselves.
///
/// LMDB has its own map, but does not provide its address. Both show the same memory: the page cache of the file.
@safe struct PageMap {
  let base: UnsafeRawPointer
  let size: Int
  let pageSize: Int

  /// Maps the data file of an environment, as large as LMDB's map.
  init(_ environment: OpaquePointer) throws(StoreError) {
    var info = unsafe MDB_envinfo()
    var stat = MDB_stat()
    var file: Int32 = -1
    _ = unsafe mdb_env_info(environment, &info)
    _ = unsafe mdb_env_stat(environment, &stat)
    _ = unsafe mdb_env_get_fd(environment, &file)
    size = unsafe info.me_mapsize
    pageSize = Int(stat.ms_psize)
    let start = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, file, 0)
    guard let start = unsafe start, unsafe lms_is_mapped(start) else {
      throw StoreError(returnCode: lms_errno(), "reserve the map")
    }
    // As LMDB does with MDB_NORDAHEAD.
    _ = unsafe madvise(start, size, MADV_RANDOM)
    // If the system refuses, a truncated file terminates the process.
    _ = unsafe lms_survive_truncation(start, size)
    unsafe base = UnsafeRawPointer(start)
  }

  private init() {
    unsafe base = UnsafeRawPointer(bitPattern: 1)!
    size = 0
    pageSize = 0
  }

  /// Creates an empty object; the first reader maps the file.
  static var none: PageMap { PageMap() }

  /// Unmaps the file. No reader may use the map afterwards.
  func unmap() {
    guard size > 0 else { return }
    unsafe lms_forget_map(base)
    unsafe munmap(UnsafeMutableRawPointer(mutating: base), size)
  }

  /// Whether the file was truncated so that pages in use are lost.
  var hasLostPages: Bool { unsafe lms_has_lost_pages(base) }

  /// The number of the newest transaction whose meta page is written.
  @inline(__always)
  var newest: Int {
    unsafe max(number(of: base), number(of: base + pageSize))
  }

  /// The number of the transaction that wrote a meta page.
  @inline(__always)
  private func number(of meta: UnsafeRawPointer) -> Int {
    unsafe Int(truncatingIfNeeded: lms_load64(meta + PageLayout.transaction))
  }

  /// The contents of the meta page of a transaction; nil when a later one has overwritten it.
  ///
  /// A write in progress is not detected: `Transaction.renew` decides when the copy is valid.
  @inline(__always)
  func snapshot(_ id: Int) -> TreeSnapshot? {
    let meta = unsafe base + (id & 1) * pageSize
    guard unsafe number(of: meta) == id else { return nil }
    let last = unsafe meta.loadUnaligned(fromByteOffset: PageLayout.lastPage, as: UInt64.self)
    let snapshot = unsafe TreeSnapshot(
      pages: SnapshotPages(base: base, pageSize: pageSize, count: min(last &+ 1, UInt64(size / pageSize))),
      free: meta.loadUnaligned(fromByteOffset: PageLayout.freeTree, as: TreeRecord.self),
      main: meta.loadUnaligned(fromByteOffset: PageLayout.mainTree, as: TreeRecord.self))
    return unsafe number(of: meta) == id ? snapshot : nil
  }
}
