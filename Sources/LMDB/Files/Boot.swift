internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

package enum Boot {
  private static let known = Mutex<String?>(nil)

  /// Names this boot of the machine; "" where the system does not tell.
  package static func current() throws(StoreError) -> String {
    if let known = known.withLock({ $0 }) { return known }
    #if os(Linux)
      let bytes = try FileDescriptor.directory("/proc/sys/kernel/random").file("boot_id").read(at: 0, count: 64)
      let name = String(decoding: bytes.prefix { $0 > 32 }, as: UTF8.self)
    #else
      var time = timeval()
      var size = MemoryLayout<timeval>.size
      let name = unsafe sysctlbyname("kern.boottime", &time, &size, nil, 0) == 0 ? "\(time.tv_sec)" : ""
    #endif
    known.withLock { $0 = name }
    return name
  }
}
