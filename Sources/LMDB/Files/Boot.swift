#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

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
}
