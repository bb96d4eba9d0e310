#if DEBUG
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct SlottedWindowUnitTests {
    private func elements(_ window: SlottedWindow) -> [[UInt8]] {
      (window.start..<window.start + window.count).map { window.element($0).copied() }
    }

    private func stored(_ window: SlottedWindow) -> [UInt8] {
      var result: [UInt8] = []
      window.withStored { result = $0.copied() }
      return result
    }

    /// Changes of a copy, against an array of elements; and what is stored is read again.
    @Test func changesAsAnArrayDoes() {
      var random = SeededGenerator("SlottedWindowUnitTests.changesAsAnArrayDoes")
      let window = SlottedWindow()
      var (model, start): ([[UInt8]], Int) = ([], 0)
      func element() -> [UInt8] {
        .random([0, 1, 30, 1000, 6000].randomElement(using: &random)!, &random)
      }
      func used(_ elements: [[UInt8]]) -> Int { elements.reduce(0) { $0 + $1.count + 2 } }
      for _ in 0..<SeededGenerator.operations(5000) {
        let place = Int.random(in: 0...model.count, using: &random)
        let new = element()
        let hasRoom = !model.isEmpty && used(model) + new.count + 2 <= 4080
        #expect(window.hasRoom(new.count) == hasRoom)
        switch Int.random(in: 0..<8, using: &random) {
        case 0 where Int.random(in: 0..<10, using: &random) == 0 || model.isEmpty:
          (model, start) = ([new], Int.random(in: 0..<1000))
          withBytes(of: new) { window.copyElement($0, position: start) }
        case 1 where hasRoom:
          withBytes(of: new) { window.append($0) }
          model.append(new)
        case 2, 3:
          guard hasRoom else { break }
          withBytes(of: new) { window.insert($0, at: start + place) }
          model.insert(new, at: place)
        case 4 where place < model.count:
          let fits = model.count == 1 || used(model) - model[place].count + new.count <= 4080
          #expect(window.fits(new.count, at: start + place) == fits)
          guard fits else { break }
          withBytes(of: new) { window.replace(start + place, $0) }
          model[place] = new
        case 5 where place < model.count && model.count > 1:
          let end = Int.random(in: place..<(place == 0 ? model.count - 1 : model.count), using: &random) + 1
          guard end - place < model.count else { break }
          window.remove(start + place..<start + end)
          model.removeSubrange(place..<end)
        case 6 where model.count > 1:
          let cut = Int.random(in: 1..<model.count, using: &random)
          let tail = window.tail(from: cut)
          #expect(1..<model.count ~= window.middle)
          window.remove(start + cut..<start + model.count)
          let isRead = withBytes(of: tail) { window.append(contentsOf: $0) }
          #expect(isRead)
        case 7 where !model.isEmpty:
          let bytes = stored(window)
          #expect(bytes.count == used(model) && bytes.count == window.used)
          start = Int.random(in: 0..<1000)
          let other = SlottedWindow()
          withBytes(of: bytes) { block in
            let isShown = other.show(block, start: start)
            #expect(isShown && elements(other) == model)
          }
          let isCopied = withBytes(of: bytes) { window.copy($0, start: start) }
          #expect(isCopied)
        default: break
        }
        #expect(window.count == model.count && elements(window) == model)
        #expect(!window.holds(start - 1) && !window.holds(start + model.count))
      }
    }

    @Test func theMiddleHasHalfOfTheBytesBefore() {
      let window = SlottedWindow()
      withBytes(of: [UInt8](repeating: 1, count: 100)) { window.copyElement($0, position: 0) }
      while window.hasRoom(100) { withBytes(of: [UInt8](repeating: 1, count: 100)) { window.append($0) } }
      #expect(window.count == 40 && window.middle == 20)
    }
  }
#endif
