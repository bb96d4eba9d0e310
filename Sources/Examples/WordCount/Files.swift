import Foundation

/// The reason why a file's words are not counted.
enum Unreadable: Error, CustomStringConvertible {
  case unreadable(String)
  case notText

  var description: String {
    switch self {
    case .unreadable(let reason): "unreadable: \(reason)"
    case .notText: "not text"
    }
  }
}

enum Files {
  /// Returns the regular files at and under the paths, except hidden ones.
  static func find(_ paths: [String]) throws -> [String] {
    var found: [String] = []
    for path in paths {
      let root = URL(fileURLWithPath: path)
      guard let values = try? root.resourceValues(forKeys: [.isDirectoryKey]), let isDirectory = values.isDirectory
      else {
        throw Unreadable.unreadable("there is no \(path)")
      }
      guard isDirectory else {
        found.append(path)
        continue
      }
      let walk = FileManager.default.enumerator(
        at: root, includingPropertiesForKeys: [.isRegularFileKey], options: [.skipsHiddenFiles])
      while let url = walk?.nextObject() as? URL {
        if try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true { found.append(url.path) }
      }
    }
    return Array(Set(found)).sorted()
  }

  /// Returns the words of a text file.
  static func words(_ path: String) throws(Unreadable) -> Words {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw .unreadable(error.localizedDescription)
    }
    guard !data.contains(0), let text = String(validating: data, as: UTF8.self) else { throw .notText }
    return Words(of: text)
  }
}
