#if DEBUG
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct BlockWindowUnitTests {
    private struct Padded: Equatable {
      var number: UInt16
      var letter: UInt8
    }

    private func contents(_ window: BlockWindow) -> [UInt8] { window.withBytes { $0.copied() } }

    /// Changes of a copy, against an array of elements.
    @Test(arguments: [1, 3, 8])
    func changesAsAnArrayDoes(size: Int) {
      var random = SeededGenerator("BlockWindowUnitTests.changesAsAnArrayDoes")
      let capacity = 20
      let window = BlockWindow(elementSize: size, capacity: capacity)
      var (model, start): ([[UInt8]], Int) = ([], 0)
      func elements(_ count: Int) -> [[UInt8]] { (0..<count).map { _ in .random(size, &random) } }
      func show(_ elements: [[UInt8]], _ body: (RawSpan) -> Void) { withBytes(of: elements.flatMap(\.self), body) }
      for _ in 0..<SeededGenerator.operations(3000) {
        let place = Int.random(in: 0...model.count, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0:
          (model, start) = (elements(Int.random(in: 0...capacity, using: &random)), Int.random(in: 0..<1000))
          show(model) { window.copy($0, start: start) }
        case 1:
          let new = elements(Int.random(in: 0...model.count - place, using: &random))
          show(new) { window.replace(start + place, $0) }
          model.replaceSubrange(place..<place + new.count, with: new)
        case 2:
          let new = elements(Int.random(in: 0...min(3, capacity - model.count), using: &random))
          show(new) { window.insert(start + place, $0) }
          model.insert(contentsOf: new, at: place)
        case 3 where window.hasRoom(at: start + model.count):
          let new = elements(1)
          show(new) { window.append($0) }
          model += new
        case 4:
          let range = place..<Int.random(in: place...model.count, using: &random)
          window.remove(start + range.lowerBound..<start + range.upperBound)
          model.removeSubrange(range)
        case 5:
          let distance = Int.random(in: -5...5, using: &random)
          window.shift(by: distance)
          start += distance
        case 6 where Int.random(in: 0..<20, using: &random) == 0:
          window.clear()
          (model, start) = ([], 0)
        default: break
        }
        #expect(window.start == start && window.count == model.count && contents(window) == model.flatMap(\.self))
        #expect(window.hasRoom(at: start + model.count) == (1..<capacity).contains(model.count))
        #expect(!window.hasRoom(at: start + model.count + 1))
        let bytes = BlockBytes(window)
        for (index, element) in model.enumerated() {
          #expect(window.holds(start + index) && window.element(start + index).copied() == element)
          #expect(bytes.holds(start + index) && bytes.element(start + index).copied() == element)
        }
        for position in [start - 1, start + model.count, .min, .max] {
          #expect(!window.holds(position) && !bytes.holds(position))
        }
      }
    }

    @Test func inPlaceNothingIsCopied() {
      let window = BlockWindow(elementSize: 2, capacity: 0)
      let bytes: [UInt8] = [1, 2, 3, 4, 5]
      bytes.withUnsafeBytes { raw in
        window.show(raw.bytes, start: 10)
        // Only whole elements.
        #expect(window.count == 2 && window.start == 10 && UnsafeRawPointer(window.base) == raw.baseAddress)
        #expect(window.element(11).copied() == [3, 4] && !window.holds(12))
        #expect(!window.hasRoom(at: 12))
      }
      window.clear()
      #expect(window.count == 0 && !window.holds(10) && !window.holds(0) && contents(window) == [])
      window.show(RawSpan(), start: 3)
      #expect(window.count == 0 && window.start == 3)
    }

    /// A copy stays when its source is gone.
    @Test func aCopyIsSeparate() {
      let window = BlockWindow(elementSize: 1, capacity: 4)
      var bytes: [UInt8] = [1, 2, 3]
      withBytes(of: bytes) { window.copy($0, start: 0) }
      bytes[0] = 9
      #expect(contents(window) == [1, 2, 3])
    }

    @Test func nothingHasNoBytes() {
      let nothing = BlockBytes()
      for position in [0, -1, 1, Int.min, .max] { #expect(!nothing.holds(position)) }
    }

    /// Wherever the bytes begin, and with and without padding between values.
    @Test func elementsAreValues() {
      let numbers: [UInt32] = [1, 0xFFFF_FFFF, 0x0102_0304]
      let bytes = numbers.flatMap { number in withBytes(of: number) { $0.copied() } }
      for shift in 0..<4 {
        ([UInt8](repeating: 0, count: shift) + bytes).withUnsafeBytes { raw in
          let window = BlockWindow(elementSize: 4, capacity: 0)
          window.show(UnsafeRawBufferPointer(rebasing: raw[shift...]).bytes, start: 7)
          #expect(window.withElements(UInt32.self) { span in span.indices.map { span[$0] } } == numbers, "\(shift)")
        }
      }
      let window = BlockWindow(elementSize: MemoryLayout<Padded>.size, capacity: 2)
      #expect(MemoryLayout<Padded>.size == 3 && MemoryLayout<Padded>.stride == 4)
      withBytes(of: [1, 0, 2, 3, 0, 4] as [UInt8]) { window.copy($0, start: 5) }
      let values = window.withElements(Padded.self) { span in span.indices.map { span[$0] } }
      #expect(
        values == [
          Padded(number: UInt16(littleEndian: 1), letter: 2), Padded(number: UInt16(littleEndian: 3), letter: 4),
        ])
      window.clear()
      #expect(window.withElements(Padded.self) { $0.count } == 0)
    }
  }
#endif
