// The store's clock: what leases, delays and ages go by. Within one boot of the machine it is the time since the start, which
// nobody can set, plus an offset that the store keeps; so it is about the time of day, and the offset of each new boot is taken from
// that. It lies in the catalogue under `.clock`, see OnDiskFormat.md.

extension Transaction {
  /// The store's time in microseconds since 1970, or that after a while.
  ///
  /// The first write of a boot that asks for it stores the offset: what was read from the store before is not valid any more then.
  func now(after delay: Duration = .zero) -> UInt64 {
    let bounded = min(max(delay, .zero), .seconds(1 << 32)).components
    return UInt64(clamping: storeTime) + UInt64(bounded.seconds) * 1_000_000
      + UInt64(bounded.attoseconds / 1_000_000_000_000)
  }

  private var storeTime: Int64 {
    if let offset = environment?.clock.offset { return Boot.time + offset }
    return firstStoreTime
  }

  /// The same as long as no committed offset of this boot was seen.
  private var firstStoreTime: Int64 {
    let today = Int64(clamping: microsecondsSince1970())
    guard let environment, !environment.clock.boot.isEmpty else { return today }
    let clock = environment.clock
    let boot = Array(clock.boot.utf8)
    if let offset = Catalogue.clockOffset(of: boot, environment.catalogue, self) {
      clock.noteRead(offset, in: self)
      return Boot.time + offset
    }
    if isWritable, !hasFailed {
      clock.noteStored(in: self)
      Catalogue.setClockOffset(today - Boot.time, of: boot, environment.catalogue, self)
    }
    return today
  }
}

extension Catalogue {
  static let clockKey = ".clock"

  /// What must be added to the time since the start of the machine in this boot; nil when that was not noted.
  static func clockOffset(of boot: [UInt8], _ catalogue: UInt32, _ transaction: Transaction) -> Int64? {
    withUTF8(of: clockKey) { key in
      guard let record = transaction.get(catalogue, key), let offset = record.littleEndian(at: 0, Int64.self),
        // Far from where a sum overflows.
        offset.magnitude < 1 << 60, record.byteCount == 8 + boot.count,
        withBytes(of: boot, { record.extracting(8..<record.byteCount).hasSameBytes(as: $0) })
      else { return nil }
      return offset
    }
  }

  fileprivate static func setClockOffset(
    _ offset: Int64, of boot: [UInt8], _ catalogue: UInt32, _ transaction: Transaction
  ) {
    var record = ByteWriter(capacity: 8 + boot.count)
    record.append(littleEndian: offset)
    record.append(contentsOf: boot)
    withUTF8(of: clockKey) { key in record.withBytes { _ = transaction.put(catalogue, key, $0) } }
  }
}
