package import LMDBShare

/// A file of which most pages are free.
package struct FreeSpace {
  private let free: Int
  private let pages: Int
  private let bytes: Int
  /// Whether much of that still takes disk space.
  let isOnDisk: Bool

  /// Fewer free pages are not reported.
  private static let few = 1000

  /// Nil for a file with few free pages.
  package init?(_ numbers: StoreStatistics) {
    guard numbers.freePages > Self.few, numbers.freePages > numbers.pages / 2 else { return nil }
    (free, pages) = (numbers.freePages, numbers.pages)
    bytes = free.bounded(times: numbers.pageSize)
    isOnDisk = numbers.allocatedBytes - numbers.usedBytes > bytes / 2
  }

  package var text: String {
    "\(free) of \(pages) pages are free (\(Size.text(bytes))), and each write looks through the list of them"
  }

  package var cure: String {
    (isOnDisk ? "lmdbshare trim gives their disk space back while other processes continue; " : "")
      + "lmdbshare compact, while no process has the store open, or backup --compact leaves them out"
  }
}
