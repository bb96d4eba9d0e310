internal import _LMDBShareSystem

/// The operating system's processes.
package enum ChildProcess {
  /// The path of the running program.
  static func thisExecutable() throws(StoreError) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    guard unsafe lms_executable_path(&buffer, 4096) == 0 else {
      throw StoreError(
        .system, "start a process", reason: "the path of this program is not known", advice: "give an executable")
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The descriptor by which a child has its kept file open.
  static var keptFile: Int { Int(lms_kept_file) }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - environment: Added to the environment of this process.
  ///   - link: A file that the child keeps open.
  static func spawn(
    _ path: String, _ arguments: [String], environment added: [String: String], keeping link: FileDescriptor?
  ) throws(StoreError) -> Int32 {
    for text in [path] + arguments + added.map({ "\($0)=\($1)" }) where text.utf8.contains(0) {
      throw StoreError(
        .outOfRange, "start \(path)", reason: "an argument holds a NUL byte", advice: "give one without")
    }
    var variables: [String] = []
    var entry = unsafe lms_environment()
    while let text = unsafe entry?.pointee {
      let variable = unsafe String(cString: text)
      if added[String(variable.prefix { $0 != "=" })] == nil { variables.append(variable) }
      unsafe entry = unsafe entry?.successor()
    }
    variables += added.map { "\($0)=\($1)" }
    var process: Int32 = 0
    let code = unsafe withCStrings([path] + arguments) { arguments in
      unsafe withCStrings(variables) { variables in
        unsafe lms_spawn(&process, path, arguments, variables, link?.number ?? -1)
      }
    }
    try check(code, "start \(path)")
    return process
  }

  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
  }

  /// Waits for a child's end without collecting its status: until then its PID is not reused.
  static func waitForEnd(of process: Int32) { lms_wait_for_end(process) }

  /// Waits for a child's end; returns its exit status and the signal that ended it, or nil when they cannot be known.
  static func wait(for process: Int32) -> (status: Int32, signal: Int32)? {
    var (status, signal): (Int32, Int32) = (0, 0)
    return unsafe lms_wait_for(process, &status, &signal) == 0 ? (status, signal) : nil
  }

  /// Whether there is a process with that PID in this process's namespace.
  package static func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 || lms_errno() == EPERM }

  /// Sends a signal.
  static func send(_ signal: Int32, to process: Int32) { _ = kill(process, signal) }

  /// The two ends of a pipe.
  package static func pipe() throws(StoreError) -> (reading: FileDescriptor, writing: FileDescriptor) {
    var files: [Int32] = [-1, -1]
    try check(unsafe lms_pipe(&files), "start a process")
    // A forked child must not keep it open after the end of this process.
    lms_close_after_fork(files[1])
    return (FileDescriptor(files[0]), FileDescriptor(files[1]))
  }

  /// Runs a shell command to its end, with these bytes as its standard input, which it need not read. Signals that this process
  /// catches meanwhile are sent to the command.
  package static func runShell(
    _ command: String, input: [UInt8], environment: [String: String]
  ) throws(StoreError) -> (status: Int32, signal: Int32) {
    // The shell moves the kept file to its standard input.
    let script = "exec <&\(keptFile) \(keptFile)<&-; exec /bin/sh -c \"$1\""
    var files: (reading: FileDescriptor, writing: FileDescriptor)? = try pipe()
    defer { if let files { willClose(files.writing) } }
    let process = try spawn(
      "/bin/sh", ["-c", script, "sh", command], environment: environment, keeping: files?.reading)
    lms_pass_signals_to(process)
    // Now only the command can read: if it ends early, the writing does, too.
    let writing = files.map { Stream(number: dup($0.writing.number)) }
    if let files { willClose(files.writing) }
    files = nil
    if let writing, writing.number >= 0 {
      _ = writing.write(input)
      _ = close(writing.number)
    }
    // Its PID is not reused until its status has been collected.
    waitForEnd(of: process)
    lms_pass_signals_to(0)
    return wait(for: process) ?? (status: -1, signal: 0)
  }

  /// Catches the signals that ask this process to end; ``caughtSignal`` reports them.
  package static func catchSignals() { lms_catch_signals() }

  /// The signal that has asked this process to end; nil when there was none.
  package static var caughtSignal: Int32? {
    let signal = lms_caught_signal()
    return signal == 0 ? nil : signal
  }

  /// Must be called before the writing end of such a pipe is closed.
  static func willClose(_ pipe: FileDescriptor) { lms_keep_after_fork(pipe.number) }

  /// Sends this process SIGTERM when the other end of the pipe is closed in all processes.
  package static func end(with file: Int32) { _ = lms_end_with(file) }

  /// The value of an environment variable.
  static func variable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// Removes an environment variable; returns its value.
  static func takeVariable(_ name: String) -> String? {
    let value = variable(name)
    unsafe unsetenv(name)
    return value
  }
}
