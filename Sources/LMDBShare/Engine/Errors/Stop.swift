/// Stops the program because of a mistake in it that no error can report, and says what the mistake is: in every build,
/// where a failed precondition is silent in optimised ones.
@usableFromInline @inline(never)
func stop(_ message: String) -> Never {
  fatalError(message)
}
