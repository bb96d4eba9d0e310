internal import _LMDBShareSystem

/// An open file, pipe or terminal that is read or written from front to end.
package struct Stream: Sendable {
  package static let input = Stream(number: 0)
  package static let output = Stream(number: 1)
  package static let errors = Stream(number: 2)

  package let number: Int32

  /// Whether it is a terminal.
  package var isTerminal: Bool { isatty(number) == 1 }

  /// How many bytes a regular file has; nil for anything else.
  package var fileSize: Int? {
    guard let status = FileStatus(of: number), status.isRegular else { return nil }
    return status.size
  }

  /// Writes all bytes.
  ///
  /// - Returns: 0, or the error; `EPIPE` when the reader has gone, which is no signal once `ignoreClosedPipes` was called.
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

  /// Waits until there is something to read, or the end; false when there is not for so long, or a signal comes.
  package func waitForInput(milliseconds: Int32) -> Bool { lms_wait_for_input(number, milliseconds) != 0 }

  /// Up to `count` bytes as soon as there are any; none at the end.
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

  /// Lets writing to a pipe that nobody reads be an error instead of a signal.
  package static func ignoreClosedPipes() { lms_ignore_signal(SIGPIPE) }

  /// Whether an error of ``write(_:)`` means that the reader has gone.
  package static func isClosedPipe(_ code: Int32) -> Bool { code == EPIPE }
}
