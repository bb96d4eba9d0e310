internal import LMDBPages

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

// Without a sync a power cut may leave anything in the file. So a store that is written that way remembers the boot it
// was written in, and after another boot every page is checked before LMDB follows any of them.

package enum Boot {
  /// Names this boot of the machine; "" where the system does not tell.
  package static func current() -> String {
    #if os(Linux)
      guard let file = try? FileDescriptor.directory("/proc/sys/kernel/random").file("boot_id"),
        let bytes = try? file.read(at: 0, count: 64)
      else { return "" }
      return String(decoding: bytes.prefix { $0 > 32 }, as: UTF8.self)
    #else
      var time = timeval()
      var size = MemoryLayout<timeval>.size
      guard unsafe sysctlbyname("kern.boottime", &time, &size, nil, 0) == 0 else { return "" }
      return "\(time.tv_sec)"
    #endif
  }

  /// Where the boot is noted: this key of the catalogue's database.
  package static let catalogue = ".catalogue"
  package static let key = ".boot"
}

extension StoreDirectory {
  func wasWrittenUnsyncedBeforeReboot() throws(StoreError) -> Bool {
    let file = try descriptor.file(Self.dataFile)
    do {
      guard let boot = try PageFile(source: file).value(database: Boot.catalogue, key: Boot.key) else { return false }
      return String(decoding: boot, as: UTF8.self) != Boot.current()
    } catch let problem as PageProblem {
      throw StoreError(problem, "open \(path)")
    } catch {
      throw StoreError(.inputOutput, "open \(path)", reason: "\(error)", advice: "check the disk")
    }
  }
}
