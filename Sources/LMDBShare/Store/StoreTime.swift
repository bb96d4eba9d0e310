// The store's clock, by which leases, delays and ages are measured. Within one boot of the machine it is the time since the
// start, which cannot be set, plus an offset that the store keeps. So it is about the time of day, from which the offset of each
// new boot is taken. The catalogue has it under `.clock`, see OnDiskFormat.md.

extension Transaction {
  /// The store's time in microseconds since 1970, or that time after a delay.
  ///
  /// The first write of a boot that calls this stores the offset: data read from the store before is not valid any more then.
  func now(after delay: Duration = .zero) -> UInt64 {
    let bounded = min(max(delay, .zero), .seconds(1 << 32)).components
    return UInt64(clamping: storeTime) + UInt64(bounded.seconds) * 1_000_000
      + UInt64(bounded.attoseconds / 1_000_000_000_000)
  }

  private var storeTime: Int64 {
    if let offset = environment?.clock.offset { return Boot.time + offset }
    return firstStoreTime
  }

  /// The store's time before a committed offset of this boot was seen.
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

  /// The offset to the time since the start of the machine in this boot; nil when none was stored.
  static func clockOffset(of boot: [UInt8], _ catalogue: Database, _ transaction: Transaction) -> Int64? {
    withUTF8(of: clockKey) { key in
      guard let record = transaction.get(catalogue, key), let offset = record.littleEndian(at: 0, Int64.self),
        // Far below the values at which a sum overflows.
        offset.magnitude < 1 << 60, record.byteCount == 8 + boot.count,
        withBytes(of: boot, { record.extracting(8..<record.byteCount).hasSameBytes(as: $0) })
      else { return nil }
      return offset
    }
  }

  fileprivate static func setClockOffset(
    _ offset: Int64, of boot: [UInt8], _ catalogue: Database, _ transaction: Transaction
  ) {
    var record = ByteWriter(capacity: 8 + boot.count)
    record.append(littleEndian: offset)
    record.append(contentsOf: boot)
    withUTF8(of: clockKey) { key in record.withBytes { _ = transaction.put(catalogue, key, $0) } }
  }
}
