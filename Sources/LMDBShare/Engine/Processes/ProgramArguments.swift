internal import _LMDBShareSystem

/// The words with which the program was called, and its environment, as the system has them.
package enum ProgramArguments {
  /// The words behind the program's name; nil where the system does not tell any, not even that name.
  ///
  /// On Linux, `CommandLine.arguments` comes from /proc, and is empty where that is not mounted.
  package static var all: [String]? {
    if CommandLine.argc > 0 { return Array(CommandLine.arguments.dropFirst()) }
    let count = lms_argument_count()
    guard count > 0 else { return nil }
    return (1..<count).compactMap { index in unsafe lms_argument(index).map { unsafe String(cString: $0) } }
  }

  /// Which word, from 1 on, is the first that is not UTF-8; in ``all`` it is not what was given.
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

  /// Whether a variable of the environment is there and is not UTF-8.
  package static func isNoText(variable name: String) -> Bool {
    unsafe lms_variable(name).map { unsafe String(validatingCString: $0) == nil } ?? false
  }
}
