internal import _LMDBShareSystem

package enum Boot {
  private static let known = Guarded<String?>(nil)

  /// The identifier of this boot of the machine; "" where the system provides none.
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

  /// The identifier of this boot; "" also if it cannot be read.
  package static var name: String { (try? current()) ?? "" }

  /// Microseconds since the machine was started, including suspended time. Setting the clock does not affect it, and it is the
  /// same for all processes of this boot.
  @inline(__always)
  package static var time: Int64 { lms_boot_time() / 1000 - namespaceOffset }

  /// The offset of the time since the start in this process's time namespace (time_namespaces(7)).
  private static let namespaceOffset: Int64 = {
    guard let text = try? FileDescriptor.directory("/proc/self").file("timens_offsets").read(at: 0, count: 256) else {
      return 0
    }
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("boottime") {
      let numbers = line.split(separator: " ").dropFirst().compactMap { Int64($0) }
      // Both are far below the values at which the sum overflows.
      guard numbers.count == 2, numbers.allSatisfy({ $0.magnitude < 1 << 40 }) else { return 0 }
      return numbers[0] * 1_000_000 + numbers[1] / 1000
    }
    return 0
  }()
}
