extension SharedStore {
  /// Notes the boot in a store that is written without syncs. The note stays, since other processes may go on to write
  /// so; it is brought up to date when a store that has one is opened after a reboot, and has been checked.
  func noteBoot() throws(StoreError) {
    guard !environment.options.isReadOnly else { return }
    let catalogue = environment.catalogue
    let now = Boot.current()
    let reading = try environment.beginRead()
    let noted = withUTF8(of: Boot.key) { reading.get(catalogue, $0)?.utf8String() }
    reading.end()
    let isUnsynced = environment.options.durability == .processCrashOnly
    guard noted != now, noted != nil || isUnsynced else { return }
    let writing = try environment.beginWrite()
    withUTF8(of: Boot.key) { key in
      _ = withUTF8(of: now) { writing.put(catalogue, key, $0) }
    }
    try environment.commit(writing)
    try environment.sync()
  }
}
