#if CommandLineTools
  import ArgumentParser
  import LMDBShare
  import LMDBShareOperations

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// What a shell offers for the word that is being typed: names and keys of the store before it.
  enum Completion {
    private static let most = 200

    /// The store's directory; or, if the environment names a store, what follows it.
    static let stores = CompletionKind.custom { words, _, prefix in
      guard words.count > 1, let store = storeOfEnvironment(), takesStructure(words[1]) else {
        return directories(prefix)
      }
      let names = names(in: store, prefix)
      return names.isEmpty || prefix.contains("/") ? names + directories(prefix) : names
    }

    static let structures = CompletionKind.custom { words, _, prefix in
      let (store, rest) = store(words)
      guard let store else { return [] }
      // If no store was typed, this is the word after the structure's name.
      if rest.count > 1, rest.last == prefix { return keys(in: store, of: rest[0], prefix) }
      return names(in: store, prefix)
    }

    static let keys = CompletionKind.custom { words, _, prefix in
      let (store, rest) = store(words)
      guard let store, let name = rest.first else { return [] }
      return keys(in: store, of: name, prefix)
    }

    private static func names(in store: SharedStore, _ prefix: String) -> [String] {
      guard let found = try? store.structures() else { return [] }
      return found.map(\.name).filter { $0.hasPrefix(prefix) && isPlain($0) }
    }

    private static func keys(in store: SharedStore, of name: String, _ prefix: String) -> [String] {
      guard let structure = try? store.untyped(name), structure.description.kind.shape == .map else { return [] }
      let types = Types(structure.description)
      let lower = types.key is StringRepresentation ? Array(prefix.utf8) : []
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

    /// Whether the first argument after the store is a structure's name.
    private static func takesStructure(_ command: String) -> Bool {
      [
        "show", "get", "watch", "set", "append", "insert", "increment", "delete", "push", "pop", "peek", "leases",
        "dead-letters", "dump", "drop", "rename", "clear",
      ].contains(command)
    }

    /// Directories whose path begins with the prefix.
    private static func directories(_ prefix: String) -> [String] {
      let parent = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
      let start = prefix.dropFirst(parent.count)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.isEmpty ? "." : parent)) ?? []
      return names.sorted().filter { name in
        guard name.hasPrefix(start), !name.hasPrefix(".") || start.hasPrefix("."), isPlain(name) else { return false }
        return (try? FileManager.default.contentsOfDirectory(atPath: parent + name)) != nil
      }.map { parent + $0 }
    }

    /// Whether the shell leaves the text unchanged.
    private static func isPlain(_ text: String) -> Bool {
      !text.isEmpty && !text.hasPrefix("-")
        && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "'" && $0 != "\\" && $0 != ":" }
    }

    /// The store among the words of the command line, and the words after it.
    private static func store(_ words: [String]) -> (SharedStore?, [String]) {
      let words = Array(words.dropFirst(2)).filter { !$0.hasPrefix("-") }
      if let first = words.first, let store = try? StoreArgument.forCompletion(first) {
        return (store, Array(words.dropFirst()))
      }
      return (storeOfEnvironment(), words)
    }

    private static func storeOfEnvironment() -> SharedStore? {
      let path = ProcessInfo.processInfo.environment["LMDBSHARE_STORE"]
      return path.flatMap { $0.isEmpty ? nil : try? StoreArgument.forCompletion($0) }
    }
  }
#endif
