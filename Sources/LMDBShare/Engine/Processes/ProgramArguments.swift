internal import _LMDBShareSystem

/// The program's arguments and environment, as the system provides them.
package enum ProgramArguments {
  /// The arguments after the program's name; nil where the system provides none, not even that name.
  ///
  /// On Linux, `CommandLine.arguments` is read from /proc, and is empty where that is not mounted.
  package static var all: [String]? {
    if CommandLine.argc > 0 { return Array(CommandLine.arguments.dropFirst()) }
    let count = lms_argument_count()
    guard count > 0 else { return nil }
    return (1..<count).compactMap { index in unsafe lms_argument(index).map { unsafe String(cString: $0) } }
  }

  /// The index, from 1 on, of the first argument that is not UTF-8; in ``all`` it differs from what was given.
  package static var firstThatIsNoText: Int? {
    guard CommandLine.argc > 0 else {
      return (0..<Int(lms_argument_count())).dropFirst().first { index in
        unsafe lms_argument(Int32(index)).map { unsafe String(validatingCString: $0) == nil } ?? false
      }
    }
    let words = unsafe UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    return words.indices.dropFirst().first { index in
      unsafe words[index].map { unsafe String(validatingCString: $0) == nil } ?? false
    }
  }

  /// Whether an environment variable exists and is not UTF-8.
  package static func isNoText(variable name: String) -> Bool {
    unsafe lms_variable(name).map { unsafe String(validatingCString: $0) == nil } ?? false
  }
}
