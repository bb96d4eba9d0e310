#if DEBUG
  import TestSupport
  import Testing

  @testable import LMDBShare

  @Suite(.timeLimit(.minutes(5)))
  struct BoundedUnitTests {
    private let edges: [Int] = [.min, .min + 1, -1 << 32, -3, -2, -1, 0, 1, 2, 3, 1 << 32, .max / 2, .max - 1, .max]

    /// Against numbers of twice the size.
    @Test func resultsAreThoseOfLargerNumbersWithinBounds() {
      var random = SeededGenerator("BoundedUnitTests.resultsAreThoseOfLargerNumbersWithinBounds")
      let some = edges + (0..<40).map { _ in Int.random(in: .min ... .max, using: &random) >> Int.random(in: 0..<60) }
      for a in some {
        for b in some {
          #expect(a.bounded(plus: b) == Int(clamping: Int128(a) + Int128(b)), "\(a) + \(b)")
          #expect(a.bounded(times: b) == Int(clamping: Int128(a) * Int128(b)), "\(a) * \(b)")
        }
      }
    }

    @Test func aSumHasBoundsToo() {
      #expect([Int]().boundedSum() == 0 && [1, -5, 3].boundedSum() == -1)
      #expect([.max, 1, 1].boundedSum() == Int.max && [Int.min, -1].boundedSum() == .min)
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct CellUnitTests {
    private final class Token {}

    @Test func copiesOfACellShareItsFields() {
      let cell = Cell((number: 1, text: "a"))
      let copy = cell
      copy.value.number = 2
      cell.value.text += "b"
      #expect(cell.value == (2, "ab") && copy.value == (2, "ab"))
      cell.destroy()
    }

    @Test func destroyingReleasesTheFields() {
      weak var token: Token?
      let cell = Cell<Token?>(nil)
      do {
        let strong = Token()
        token = strong
        cell.value = strong
      }
      #expect(token != nil)
      cell.destroy()
      #expect(token == nil)
    }

    @Test func aCellCanBeOfFieldsThatExist() {
      let pointer = UnsafeMutablePointer<Int>.allocate(capacity: 1)
      pointer.initialize(to: 5)
      let cell = Cell(pointer: pointer)
      cell.value += 1
      #expect(pointer.pointee == 6)
      cell.destroy()
    }
  }

  @Suite(.timeLimit(.minutes(5)))
  struct RawSpanUnitTests {
    private enum Colour: UInt8 { case red, green }
    private enum Only { case one }

    @Test func integersHaveTheirOrderOfBytes() {
      withBytes(of: [1, 2, 3, 4] as [UInt8]) { span in
        #expect(span.littleEndian(UInt32.self) == 0x0403_0201 && span.bigEndian(UInt32.self) == 0x0102_0304)
        #expect(span.littleEndian(at: 1, UInt16.self) == 0x0302 && span.littleEndian(at: 3, UInt8.self) == 4)
        #expect(span.bits(of: UInt32.self) == UInt32(littleEndian: 0x0403_0201))
        #expect(span.byte(at: 0) == 1 && span.byte(at: 3) == 4)
      }
      withBytes(of: [0xFE, 0xFF] as [UInt8]) { span in
        #expect(span.littleEndian(Int16.self) == -2 && span.bigEndian(Int16.self) == -257)
      }
    }

    @Test func anotherSizeIsNoInteger() {
      withBytes(of: [1, 2, 3, 4] as [UInt8]) { span in
        #expect(span.littleEndian(UInt64.self) == nil && span.littleEndian(UInt16.self) == nil)
        #expect(span.bigEndian(UInt64.self) == nil && span.bigEndian(UInt8.self) == nil)
        #expect(span.bits(of: UInt16.self) == nil && span.bits(of: UInt64.self) == nil)
        for offset in [-1, 3, 4, Int.min, Int.max] { #expect(span.littleEndian(at: offset, UInt16.self) == nil) }
        #expect(span.littleEndian(at: 0, UInt64.self) == nil && span.littleEndian(at: 2, UInt16.self) == 0x0403)
      }
      let nothing = RawSpan()
      #expect(nothing.littleEndian(UInt8.self) == nil && nothing.littleEndian(at: 0, UInt8.self) == nil)
    }

    @Test func copiesAreOfWholeElements() {
      withBytes(of: [1, 2, 3, 4, 5] as [UInt8]) { span in
        #expect(span.copied() == [1, 2, 3, 4, 5])
        #expect(span.copied(as: UInt16.self).map(\.littleEndian) == [0x0201, 0x0403])
        #expect(span.copied(as: UInt64.self) == [])
        // Not aligned.
        #expect(span.extracting(1..<5).copied(as: UInt32.self).map(\.littleEndian) == [0x0504_0302])
      }
      let nothing = RawSpan()
      #expect(nothing.copied() == [] && nothing.copied(as: UInt8.self) == [])
    }

    @Test func onlyValidTextIsText() {
      withUTF8(of: "gr\u{FC}n \u{1F600}") { #expect($0.utf8String() == "gr\u{FC}n \u{1F600}") }
      #expect(RawSpan().utf8String() == "")
      for bytes in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0x61, 0x80], [0xC0, 0x80]] as [[UInt8]] {
        withBytes(of: bytes) { #expect($0.utf8String() == nil, "\(bytes)") }
      }
    }

    /// Against the order of Swift's own sequences.
    @Test func comparesAsSequencesDo() {
      var random = SeededGenerator("RawSpanUnitTests.comparesAsSequencesDo")
      for _ in 0..<3000 {
        let pair =
          (0..<2).map { _ in
            (0..<Int.random(in: 0...4, using: &random)).map { _ in [0, 1, 127, 128, 255].randomElement(using: &random)!
            }
          } as [[UInt8]]
        withBytes(of: pair[0]) { first in
          withBytes(of: pair[1]) { second in
            #expect((first.compare(second) < 0) == pair[0].lexicographicallyPrecedes(pair[1]))
            #expect((first.compare(second) > 0) == pair[1].lexicographicallyPrecedes(pair[0]))
            #expect(first.hasSameBytes(as: second) == (pair[0] == pair[1]))
          }
        }
      }
    }

    @Test func valuesHaveTheirBytes() {
      withBytes(of: UInt32(littleEndian: 0x0403_0201)) { #expect($0.copied() == [1, 2, 3, 4]) }
      withBytes(of: ()) { #expect($0.byteCount == 0) }
      withBytes(of: [UInt16(littleEndian: 0x0201), 0]) { #expect($0.copied() == [1, 2, 0, 0]) }
      var bytes: [UInt8] = [9]
      withBytes(of: [1, 2] as [UInt8]) { bytes.append(copying: $0) }
      bytes.append(copying: RawSpan())
      #expect(bytes == [9, 1, 2])
    }

    @Test func anArrayIsCastOnlyToItsOwnType() {
      #expect(same([1, 2], as: [Int].self) == [1, 2] && same([1, 2], as: [UInt].self) == nil)
    }

    @Test func onlyEnumerationsHaveAFirstCase() {
      #expect(firstCase(of: Colour.self) == .red)
      #expect(firstCase(of: Only.self) == nil && firstCase(of: Int.self) == nil && firstCase(of: String.self) == nil)
    }
  }
#endif
