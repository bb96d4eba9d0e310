/// Checks before a call of LMDB, which would fail later or not at all.
enum Limits {
  /// LMDB rejects a value of 2 GiB only at the commit.
  @usableFromInline static let valueBytes = 1 << 30
  /// LMDB's limit on keys (MDB_MAXKEYSIZE).
  @usableFromInline static let keyBytes = 511

  static func tooLarge(_ count: Int) -> StoreError {
    StoreError(
      .valueTooLarge, "write", reason: "a value of \(count) bytes exceeds the limit of \(valueBytes)",
      advice: "split it into several")
  }
}
