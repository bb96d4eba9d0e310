extension SharedQueue {
  /// Items that were decoded in a snapshot, for a write that takes them, so that decoding does not make other writers wait.
  ///
  /// An item never changes and its number is never reused, so the item of that number is the one that was decoded.
  @usableFromInline
  package struct Prefetch: Sendable {
    @usableFromInline package var elements: [Element] = []
    /// The numbers of the items.
    @usableFromInline var runs: [QueueRun] = []
    /// How many items could be taken at that time. Some of them may not have been decoded.
    @usableFromInline let available: Int

    @inlinable
    init(available: Int) { self.available = available }
  }
}

extension SharedQueue.Contents {
  /// Decodes at most `count` of the next items; ends before an item that has a history or cannot be decoded.
  @inlinable
  package func prefetch(atMost count: Int) -> SharedQueue.Prefetch {
    let storage = storage
    let form = reference.form
    var prefetch = SharedQueue.Prefetch(available: Swift.min(count, self.count))
    storage.lookAhead(core, atMost: count) { first, record, indices in
      let known = prefetch.elements.count
      prefetch.elements.makeRoom(for: indices.count)
      prefetch.elements.append(addingCapacity: indices.count) { (elements: inout OutputSpan<Element>) in
        for index in indices {
          guard let bytes = record.item(index) else { return }
          do throws(DecodingFailure) {
            elements.append(try Element.StorageCodec.decode(bytes, in: form))
          } catch {
            return
          }
        }
      }
      let new = prefetch.elements.count - known
      prefetch.runs.append(QueueRun(first: first, count: new))
      return new == indices.count
    }
    return prefetch
  }

  /// Takes at most `count` items, in order. Prefetched items are not decoded again.
  @inlinable
  package mutating func pop(atMost count: Int, _ prefetch: SharedQueue.Prefetch) -> [Element] {
    let storage = changing
    storage.prepareToTake(core)
    let taken = storage.take(core, prefetch.runs)
    if taken.isEmpty { return popNext(atMost: count) }
    var items = taken.count == prefetch.elements.count ? prefetch.elements : Array(prefetch.elements[taken])
    if items.count < prefetch.available { items += popNext(atMost: prefetch.available - items.count) }
    return items
  }
}

extension Array {
  /// Reserves memory for more elements. Repeated calls take linear time in total.
  @inlinable
  mutating func makeRoom(for more: Int) {
    if count + more > capacity { reserveCapacity(Swift.max(count + more, 2 * capacity)) }
  }
}
