import Foundation

/// What a Redis server answers.
public enum RedisReply: Equatable, Sendable {
  /// Redis' nil, of a string or of an array.
  case nothing
  case status(String)
  case error(String)
  case number(Int)
  case text(String)
  case list([RedisReply])

  /// A text, or nothing.
  public init(_ text: String?) { self = text.map { .text($0) } ?? .nothing }

  /// A list of texts.
  public init(_ texts: some Sequence<String>) { self = .list(texts.map { .text($0) }) }
}

/// A failure between a test and its Redis server.
public struct RedisFailure: Error {
  /// The failure.
  public let what: String

  /// The failure as text.
  public init(what: String) { self.what = what }
}

/// A Redis server of one test, which keeps everything in memory and listens on a socket in a temporary directory.
public final class RedisServer: Sendable {
  /// The socket's path.
  public let socket: String
  private let program: Program

  /// Starts a server and waits until it answers.
  public init(in directory: TemporaryDirectory) throws {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
    let places: [String] = folders.map { "\($0)/redis-server" }
    guard let path = places.first(where: { access($0, X_OK) == 0 }) else {
      throw RedisFailure(what: "redis-server is not installed")
    }
    socket = directory.file("redis.sock")
    // The shell waits for the end of its input, which comes even when the test crashes.
    program = try Program(
      path: "/bin/sh",
      [
        "-c", "exec 2>/dev/null; \"$@\" >/dev/null & cat; kill -9 $!; wait", "sh", path, "--port", "0", "--unixsocket",
        socket, "--save", "", "--appendonly", "no", "--dir", directory.path, "--logfile",
        directory.file("redis.log"), "--daemonize", "no",
      ])
    if try eventually({ try (try? RedisConnection(to: self))?.ask("PING") == .status("PONG") }) { return }
    stop()
    throw RedisFailure(what: "the server does not answer: \(directory.path)/redis.log")
  }

  /// Ends it.
  public func stop() { program.finish(within: 10) }
}

/// A connection to a Redis server, with version 2 of its protocol. Nothing waits longer than 30 seconds.
public final class RedisConnection {
  private let handle: Int32
  private var received: [UInt8] = []
  private var position = 0

  /// Connects.
  public init(to server: RedisServer) throws {
    #if os(Linux)
      handle = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #else
      handle = socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
    var limit = timeval(tv_sec: 30, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(handle, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: server.socket.utf8) }
    let status = withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(handle, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard status == 0 else { throw RedisFailure(what: "no connection: errno \(errno)") }
  }

  deinit { close(handle) }

  /// Sends a command and waits for the answer.
  public func ask(_ command: String...) throws -> RedisReply { try ask(command) }

  /// Sends a command and waits for the answer.
  public func ask(_ command: [String]) throws -> RedisReply {
    var message = Array("*\(command.count)\r\n".utf8)
    for word in command { message += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
    var sent = 0
    while sent < message.count {
      let count = message[sent...].withUnsafeBytes { write(handle, $0.baseAddress, $0.count) }
      guard count > 0 else { throw RedisFailure(what: "cannot send: errno \(errno)") }
      sent += count
    }
    return try reply()
  }

  private func reply() throws -> RedisReply {
    let line = try line()
    let rest = String(line.dropFirst())
    switch line.first {
    case "+": return .status(rest)
    case "-": return .error(rest)
    case ":": return .number(Int(rest)!)
    case "$":
      guard let count = Int(rest), count >= 0 else { return .nothing }
      while received.count < position + count + 2 { try receive() }
      defer { position += count + 2 }
      return .text(String(decoding: received[position..<position + count], as: UTF8.self))
    case "*":
      guard let count = Int(rest), count >= 0 else { return .nothing }
      return .list(try (0..<count).map { _ in try reply() })
    default: throw RedisFailure(what: "no answer: \(line)")
    }
  }

  private func line() throws -> String {
    while true {
      // Swift treats "\r\n" as one character, but the lines of Redis are bytes.
      if let end = received[position...].firstIndex(of: UInt8(ascii: "\r")), end + 1 < received.count {
        defer { position = end + 2 }
        return String(decoding: received[position..<end], as: UTF8.self)
      }
      try receive()
    }
  }

  private func receive() throws {
    received.removeFirst(position)
    position = 0
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = read(handle, &chunk, chunk.count)
    guard count > 0 else { throw RedisFailure(what: count == 0 ? "the server is gone" : "no answer: errno \(errno)") }
    received += chunk[..<count]
  }
}
