internal import CSystemShims

/// The words with which the program was called, and its environment, as the system has them.
package enum ProgramArguments {
  /// Which word, from 1 on, is the first that is not UTF-8; in `CommandLine.arguments` it is not what was given.
  package static var firstThatIsNoText: Int? {
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
