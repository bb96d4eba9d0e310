/// Calls `body` with integers that are 0, on the stack if they are few.
@inlinable
func withTemporaryIntegers<R>(
  _ count: Int, _ body: (inout MutableSpan<Int>) throws(DecodingFailure) -> R
) throws(DecodingFailure) -> R {
  try unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: count) { buffer throws(DecodingFailure) in
    unsafe buffer.initialize(repeating: 0)
    var integers = unsafe MutableSpan(_unsafeElements: buffer)
    return try body(&integers)
  }
}
