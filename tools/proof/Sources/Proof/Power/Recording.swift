import Foundation

/// A process's operations on files, as the interposed library has recorded them: for each call four little-endian words (kind,
/// file, offset, length), followed by that many bytes.
struct Recording {
  enum Event {
    /// Bytes were written, and are in the system's memory.
    case write(file: UInt64, offset: Int, bytes: Data, isThrough: Bool)
    case sync(file: UInt64)
    case truncation(file: UInt64, size: Int)
    case naming(file: UInt64?, directory: UInt64, name: String)
    /// The program was told that the step with this number is committed.
    case mark(Int)
  }
  private(set) var events: [Event] = []

  init(_ path: String) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    var place = 0
    func word(_ index: Int) -> Int {
      Int(bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place + 8 * index, as: UInt64.self) })
    }
    while place + 32 <= bytes.count {
      let (kind, file, offset, length) = (word(0), UInt64(word(1)), word(2), word(3))
      let contents = bytes.subdata(in: place + 32..<place + 32 + length)
      switch kind {
      case 1, 2: events.append(.write(file: file, offset: offset, bytes: contents, isThrough: kind == 2))
      case 3: events.append(.sync(file: file))
      case 4: events.append(.truncation(file: file, size: offset))
      case 5, 7:
        let name = String(decoding: contents, as: UTF8.self)
        events.append(.naming(file: kind == 7 ? nil : file, directory: UInt64(offset), name: name))
      case 6: events.append(.mark(offset))
      default: throw Problem("the recording has an event of kind \(kind)")
      }
      place += 32 + length
    }
  }
}

/// The possible contents of a disk after a power cut, at a position in the recording.
///
/// Synced data is there. Of the data written since, any part may be there, in units of 512 bytes, whatever the order in which it
/// was written; a unit that is being written may end after any eight bytes.
struct Disk {
  /// One write of at most a page that is not on the disk yet.
  private struct Pending {
    let offset: Int
    let bytes: Data
  }
  private struct File {
    var bytes = Data()
    var pending: [Pending] = []
  }
  private var files: [UInt64: File] = [:]
  /// The files whose names are certain, and the changes of names since.
  private var names: [String: UInt64] = [:]
  private var renamings: [(name: String, file: UInt64?)] = []
  /// The store's directory.
  private var directory: UInt64?
  private static let kept: Set = ["data.mdb", "unsynced"]
  /// The last step that was acknowledged.
  private(set) var acknowledged = 0

  /// A call begins: its data is pending.
  mutating func begin(_ event: Recording.Event) {
    guard case .write(let file, let offset, let bytes, _) = event else { return }
    for start in stride(from: 0, to: bytes.count, by: 4096) {
      let part = bytes.subdata(in: start..<min(start + 4096, bytes.count))
      files[file, default: File()].pending.append(Pending(offset: offset + start, bytes: part))
    }
  }

  /// The call has returned.
  mutating func end(_ event: Recording.Event) {
    switch event {
    case .write(let file, _, let bytes, let isThrough):
      guard isThrough, var written = files[file] else { return }
      let parts = (bytes.count + 4095) / 4096
      for pending in written.pending.suffix(parts) { Self.put(pending, &written.bytes) }
      written.pending.removeLast(parts)
      files[file] = written
    case .sync(let file):
      guard var synced = files[file] else {
        guard file == directory else { return }
        for renaming in renamings { names[renaming.name] = renaming.file }
        renamings = []
        return
      }
      for pending in synced.pending { Self.put(pending, &synced.bytes) }
      synced.pending = []
      files[file] = synced
    case .truncation(let file, let size):
      files[file, default: File()].bytes.count = size
    case .naming(let file, let directory, let name):
      guard Self.kept.contains(name) else { return }
      renamings.append((name, file))
      self.directory = directory
    case .mark(let step): acknowledged = step
    }
  }

  private static func put(_ pending: Pending, _ image: inout Data) {
    let end = pending.offset + pending.bytes.count
    if image.count < end { image.count = end }
    image.replaceSubrange(pending.offset..<end, with: pending.bytes)
  }

  /// How a cut treats pending data.
  enum Cut: CaseIterable {
    /// All of it has arrived, or nothing.
    case all, none
    /// A random part, page by page; in units of 512 bytes; with one unit that ends early.
    case pages, sectors, torn
  }

  /// The files after such a cut, by name.
  func files(_ cut: Cut, _ random: inout Random) -> [String: Data] {
    var there = names
    for renaming in renamings where cut == .all || cut != .none && random.happens(50) {
      there[renaming.name] = renaming.file
    }
    return there.mapValues { image(files[$0] ?? File(), cut, &random) }
  }

  private func image(_ file: File, _ cut: Cut, _ random: inout Random) -> Data {
    var image = file.bytes
    // The last write to a place wins, whatever the order of arrival.
    switch cut {
    case .all: for pending in file.pending { Self.put(pending, &image) }
    case .none: break
    case .pages: for pending in file.pending where random.happens(50) { Self.put(pending, &image) }
    case .sectors, .torn:
      for pending in file.pending {
        for start in stride(from: 0, to: pending.bytes.count, by: 512) where random.happens(50) {
          let end = min(start + 512, pending.bytes.count)
          Self.put(Pending(offset: pending.offset + start, bytes: pending.bytes[start..<end]), &image)
        }
      }
      guard cut == .torn, let last = file.pending.randomElement(using: &random) else { break }
      // The unit's bytes arrive in order.
      let start = random.number(0..<(last.bytes.count + 511) / 512) * 512
      let whole = min(512, last.bytes.count - start)
      let end = start + random.number(0..<whole / 8 + 1) * 8
      Self.put(Pending(offset: last.offset + start, bytes: last.bytes[start..<end]), &image)
    }
    return image
  }
}
