package import LMDBShare

/// The output of a command, buffered and written in large pieces. When its reader closes it, the program ends silently.
package struct Output: ~Copyable {
  private var bytes: [UInt8] = []
  private let stream: Stream
  private static let piece = 1 << 16

  package init(_ stream: Stream = .output) { self.stream = stream }

  /// Appends a line, or a part of one if it does not end here.
  package mutating func line(_ text: String, ends: Bool = true) throws {
    bytes.append(contentsOf: text.utf8)
    if ends { bytes.append(UInt8(ascii: "\n")) }
    if bytes.count >= Self.piece { try flush() }
  }

  /// Appends a line of JSON; the writer is empty afterwards.
  package mutating func line(_ writer: inout JSONWriter, ends: Bool = true) throws {
    bytes.append(contentsOf: writer.out.bytes)
    writer.out.removeAll()
    if ends { bytes.append(UInt8(ascii: "\n")) }
    if bytes.count >= Self.piece { try flush() }
  }

  /// Appends a line of printable bytes.
  package mutating func line(bytes line: [UInt8]) throws {
    bytes.append(contentsOf: line)
    bytes.append(UInt8(ascii: "\n"))
    if bytes.count >= Self.piece { try flush() }
  }

  package mutating func flush() throws {
    let code = stream.write(bytes)
    bytes.removeAll(keepingCapacity: true)
    if code == 0 { return }
    if Stream.isClosedPipe(code) { throw ClosedPipe() }
    throw StoreError(returnCode: code, "write the output")
  }
}

/// The output is no longer read.
package struct ClosedPipe: Error {}
