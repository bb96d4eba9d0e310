#if CommandLineTools
  import ArgumentParser
  import LMDBShare

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// What a shell offers for the word that is being typed: names and keys of the store that stands before it.
  enum Completion {
    private static let most = 200

    static let structures = CompletionKind.custom { words, _, prefix in
      guard let store = store(words).0, let found = try? store.structures() else { return [] }
      return found.map(\.name).filter { $0.hasPrefix(prefix) && isPlain($0) }
    }

    static let keys = CompletionKind.custom { words, _, prefix in
      let (store, rest) = store(words)
      guard let store, let name = rest.first, let structure = try? store.untyped(name),
        structure.description.kind == .dictionary
      else { return [] }
      let types = Types(structure.description)
      let lower = types.key == .string ? Array(prefix.utf8) : []
      var found: [String] = []
      try? store.read { txn in
        try txn.contents(structure).walk(from: lower.isEmpty ? nil : lower) { key, _ in
          let text = types.keyText(key, limit: 200)
          if text.hasPrefix(prefix), isPlain(text) { found.append(text) } else if !lower.isEmpty { return false }
          return found.count < most
        }
      }
      return found
    }

    /// A shell must not be given what it would take apart.
    private static func isPlain(_ text: String) -> Bool {
      !text.isEmpty && !text.hasPrefix("-")
        && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "'" && $0 != "\\" && $0 != ":" }
    }

    /// The store among the words of the command line, and the words behind it.
    private static func store(_ words: [String]) -> (SharedStore?, [String]) {
      let words = Array(words.dropFirst(2)).filter { !$0.hasPrefix("-") }
      if let first = words.first, let store = try? StoreArgument(path: first).forReading() {
        return (store, Array(words.dropFirst()))
      }
      let path = ProcessInfo.processInfo.environment["LMDBSHARE_STORE"]
      return (path.flatMap { try? StoreArgument(path: $0).forReading() }, words)
    }
  }
#endif
