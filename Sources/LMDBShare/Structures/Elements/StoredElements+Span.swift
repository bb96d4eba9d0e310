/// A codec whose bytes are those of the value in memory, so that stored elements can be read in place.
public protocol NativeCodec: Codec where Value: BitwiseCopyable {}

extension IntegerCodec: NativeCodec {}
extension FloatCodec: NativeCodec {}
extension BitwiseCodec: NativeCodec {}

extension StoredElements where Element: BitwiseCopyable, Element.StorageCodec: NativeCodec {
  /// Calls `body` with the elements of the block that contains a position, in place: no copy is made.
  ///
  /// - Parameters:
  ///   - position: The position of an element.
  ///   - body: Receives the elements of the block, and the position of the first of them.
  /// - Complexity: O(1); a block has up to 4,080 bytes.
  public func withSpan<R>(at position: Int, _ body: (Span<Element>, Int) throws -> R) throws -> R {
    try view.withSpan(position, body)
  }

  /// Calls `body` with the elements of each block in turn, in place.
  public func forEachSpan(_ body: (Span<Element>, Int) throws -> Void) throws {
    var position = 0
    while position < count {
      position = try withSpan(at: position) { span, start in
        try body(span, start)
        return start + span.count
      }
    }
  }
}

extension ElementView where Element: BitwiseCopyable {
  func withSpan<R>(_ position: Int, _ body: (Span<Element>, Int) throws -> R) throws -> R {
    switch storage {
    case .detached(let elements):
      guard elements.indices.contains(position) else { throw outOfRange(position, elements.count) }
      return try body(elements.span, 0)
    case .packed(let core, let blocks):
      check(core, blocks.reference, blocks.database)
      guard position >= 0, position < blocks.count else { throw outOfRange(position, blocks.count) }
      let window = blocks.makeWindow(core)
      guard blocks.fill(core, window, position) else { throw outOfRange(position, 0) }
      return try window.withElements(Element.self) { span in try body(span, window.start) }
    case .slotted:
      throw outOfRange(position, 0)
    }
  }
}
