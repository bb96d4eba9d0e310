package import LMDBShare

/// Lines of a file or of standard input.
package struct Lines: ~Copyable {
  private let stream: Stream
  private var buffer: [UInt8] = []
  private var line = 0..<0
  private var rest = 0
  private var isAtEnd = false
  /// The number of the line that was read last, from 1.
  package private(set) var number = 0
  /// The number of bytes that were read.
  private(set) var bytesRead = 0

  package init(_ stream: Stream) { self.stream = stream }

  /// Advances to the next line; returns false at the end.
  mutating func advance() throws -> Bool {
    var searched = rest
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        (line, rest) = (rest..<end, end + 1)
        number += 1
        return true
      }
      if isAtEnd {
        guard rest < buffer.count else { return false }
        (line, rest) = (rest..<buffer.count, buffer.count)
        number += 1
        return true
      }
      buffer.removeSubrange(..<rest)
      searched = buffer.count
      (line, rest) = (0..<0, 0)
      repeat { try Interrupted.check() } while !stream.waitForInput(milliseconds: 200)
      let more = try stream.read(1 << 18)
      bytesRead += more.count
      if more.isEmpty { isAtEnd = true } else { buffer.append(contentsOf: more) }
    }
  }

  /// Calls `body` with the line, without its end.
  func withLine<R>(_ body: (RawSpan) throws -> R) rethrows -> R {
    try withBytes(of: buffer) { try body($0.extracting(line)) }
  }

  /// A copy of the next line; nil at the end.
  package mutating func next() throws -> [UInt8]? { try advance() ? Array(buffer[line]) : nil }
}

/// A signal has asked the tool to end, which it does after removing what it has created.
package struct Interrupted: Error {
  package let signal: Int32

  /// Throws when a caught signal has arrived.
  package static func check() throws {
    if let signal = ChildProcess.caughtSignal { throw Interrupted(signal: signal) }
  }
}
