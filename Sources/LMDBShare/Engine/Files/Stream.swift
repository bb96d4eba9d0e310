internal import _LMDBShareSystem

/// An open file, pipe or terminal that is read or written sequentially.
package struct Stream: Sendable {
  package static let input = Stream(number: 0)
  package static let output = Stream(number: 1)
  package static let errors = Stream(number: 2)

  package let number: Int32

  /// Whether it is a terminal.
  package var isTerminal: Bool { isatty(number) == 1 }

  /// The size of a regular file in bytes; nil for anything else.
  package var fileSize: Int? {
    guard let status = FileStatus(of: number), status.isRegular else { return nil }
    return status.size
  }

  /// Writes all bytes.
  ///
  /// - Returns: 0, or the error; `EPIPE` when the reading end is closed, which raises no signal once `ignoreClosedPipes` was
  ///   called.
  package func write(_ bytes: [UInt8]) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe lms_write(number, buffer.baseAddress! + done, bytes.count - done)
      }
      if count >= 0 {
        done += count
      } else if lms_errno() == EAGAIN {
        _ = lms_wait_for_output(number)
      } else if lms_errno() != EINTR {
        return lms_errno()
      }
    }
    return 0
  }

  /// Waits for input or its end; returns false when the time is over, or a signal arrives.
  package func waitForInput(milliseconds: Int32) -> Bool { lms_wait_for_input(number, milliseconds) != 0 }

  /// Returns up to `count` bytes as soon as there are any; an empty array at the end.
  package func read(_ count: Int) throws(StoreError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while true {
        let got = unsafe lms_read(number, buffer.baseAddress!, count)
        if got >= 0 {
          initialized = got
          return
        }
        if lms_errno() == EINTR { continue }
        failure = lms_errno()
        return
      }
    }
    try check(failure, "read the input")
    return bytes
  }

  /// Makes writing to a closed pipe an error instead of a signal.
  package static func ignoreClosedPipes() { lms_ignore_signal(SIGPIPE) }

  /// Whether an error of ``write(_:)`` means that the reading end is closed.
  package static func isClosedPipe(_ code: Int32) -> Bool { code == EPIPE }
}
