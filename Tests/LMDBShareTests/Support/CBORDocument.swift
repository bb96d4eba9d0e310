import Foundation
import LMDBShare
import TestSupport
import Testing

/// Any document of the types that CBOR has without tags.
indirect enum CBORDocument: Codable, Storable, Equatable {
  typealias StorageCodec = CBORCodec<CBORDocument>
  case integer(Int128), number(Double), text(String), bytes(Data), bool(Bool), null
  case array([CBORDocument]), map([String: CBORDocument])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int128.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode(Data.self) {
      self = .bytes(value)
    } else if let value = try? container.decode([CBORDocument].self) {
      self = .array(value)
    } else {
      self = .map(try container.decode([String: CBORDocument].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .bytes(let value): try container.encode(value)
    case .bool(let value): try container.encode(value)
    case .null: try container.encodeNil()
    case .array(let value): try container.encode(value)
    case .map(let value): try container.encode(value)
    }
  }

  /// A number; the other implementation writes each NaN alike.
  private static func any(_ value: Double) -> CBORDocument { .number(value.isNaN ? .nan : value) }

  static func random(_ random: inout SeededGenerator, _ depth: Int = 0) -> CBORDocument {
    switch Int.random(in: 0..<(depth < 4 ? 9 : 6), using: &random) {
    case 0:
      .integer(Int128(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<64, using: &random)))
    case 1: any(Double(bitPattern: .random(in: 0 ... .max, using: &random)))
    case 2: any(Double(Float(bitPattern: .random(in: 0 ... .max, using: &random))))
    case 3: .text(text(&random))
    case 4: .bytes(Data((0..<Int.random(in: 0..<40, using: &random)).map { UInt8($0) }))
    case 5: [.null, .bool(true), .bool(false)].randomElement(using: &random)!
    case 6: .array((0..<Int.random(in: 0..<30, using: &random)).map { _ in CBORDocument.random(&random, depth + 2) })
    default:
      .map(
        Dictionary(
          (0..<Int.random(in: 0..<30, using: &random)).map { _ in
            (text(&random), CBORDocument.random(&random, depth + 2))
          },
          uniquingKeysWith: { $1 }))
    }
  }

  static func text(_ random: inout SeededGenerator) -> String {
    String((0..<Int.random(in: 0..<30, using: &random)).map { _ in "abé😀\0".randomElement(using: &random)! })
  }
}

/// Values in CBOR, and bytes as digits.
enum CBORForm {
  static func bytes<T: Codable & Storable>(_ value: T) throws -> [UInt8] {
    try CBORCodec<T>.withEncoded(value) { $0.copied() }
  }

  static func value<T: Codable & Storable>(_: T.Type = T.self, _ bytes: [UInt8]) throws -> T {
    try withBytes(of: bytes) { try CBORCodec<T>.decode($0) }
  }

  /// The bytes with some of them changed, removed or inserted.
  static func damaged(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var damaged = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let position = Int.random(in: 0..<damaged.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: damaged[position] = .random(in: 0...255, using: &random)
      case 1: damaged.removeSubrange(position..<min(damaged.count, position + Int.random(in: 1...9, using: &random)))
      default: damaged.insert(.random(in: 0...255, using: &random), at: position)
      }
      if damaged.isEmpty { damaged = [0] }
    }
    return damaged
  }

  static func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  static func unhex(_ text: some StringProtocol) throws -> [UInt8] {
    let digits = try text.map { try #require($0.hexDigitValue) }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
