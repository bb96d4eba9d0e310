/// Stops the program because of a programming mistake that no error can report, and prints the mistake: in every build, whereas a
/// failed precondition is silent in optimised builds.
@usableFromInline @inline(never)
func stop(_ message: String) -> Never {
  fatalError(message)
}
