/// The source of the pages: a file, or memory in a test.
package protocol PageSource {
  /// Up to `count` bytes from `offset`; fewer at the end.
  func read(offset: Int, count: Int) throws -> [UInt8]
  /// Replaces the contents of `bytes` by as many bytes; returns how many were read.
  func read(offset: Int, count: Int, into bytes: inout [UInt8]) throws -> Int
  /// The number of bytes.
  func size() throws -> Int
}

extension PageSource {
  package func read(offset: Int, count: Int, into bytes: inout [UInt8]) throws -> Int {
    bytes = try read(offset: offset, count: count)
    return bytes.count
  }
}

/// An LMDB data file (format 1), read page by page; none of its bytes is trusted.
///
/// The format is that of `mdb.c`, LMDB 0.9: pages of `psize` bytes, a 16-byte header (page number, pad, flags, and either the
/// bounds of the free space or the number of overflow pages), two meta pages at the beginning.
package struct PageFile<Source: PageSource> {
  package let source: Source
  package init(source: Source) { self.source = source }

  /// The meta page of the newest transaction, after both were checked against each other and against the file's size.
  ///
  /// Processes may write meanwhile: the result is valid once the meta pages are found unchanged afterwards.
  package func newestMeta() throws -> Meta {
    var attempts = 0
    while true {
      let metas = try metas()
      let finding = Result { try check(metas) }
      attempts += 1
      if try self.metas() == metas || attempts == 1000 {
        try finding.get()
        return metas.newest
      }
    }
  }

  /// The meta page of one transaction; nil once a later one has overwritten it.
  ///
  /// Processes may write meanwhile, so the page is valid once it was read twice with the same contents.
  package func metaPage(of transaction: UInt64) throws -> MetaPage? {
    for _ in 0..<1000 {
      let metas = try metas()
      let meta = transaction % 2 == 0 ? metas.first : metas.second
      guard meta.transaction == transaction else { return nil }
      let offset = Int(transaction % 2) * meta.pageSize
      let bytes = try source.read(offset: offset, count: meta.pageSize)
      if try self.metas() == metas, try source.read(offset: offset, count: meta.pageSize) == bytes,
        bytes.count == meta.pageSize
      {
        return MetaPage(meta: meta, bytes: bytes)
      }
    }
    return nil
  }

  private struct Metas: Equatable {
    let first: Meta
    let second: Meta
    var isSecondNewer: Bool { second.transaction > first.transaction }
    var newest: Meta { isSecondNewer ? second : first }
  }

  private func metas() throws -> Metas {
    let size = try source.size()
    guard size > 0 else { throw PageProblem(.empty, "data.mdb is empty") }
    let head = try source.read(offset: 0, count: 4096)
    let first = try Meta(page: head, number: 0)
    guard size >= 2 * first.pageSize else {
      throw PageProblem(.truncated, "data.mdb holds \(size) bytes, less than its two meta pages")
    }
    let second = try Meta(page: source.read(offset: first.pageSize, count: 4096), number: 1)
    guard first.pageSize == second.pageSize else {
      throw PageProblem(.damaged, "the meta pages disagree about the page size (\(first.pageSize), \(second.pageSize))")
    }
    return Metas(first: first, second: second)
  }

  /// Checks that the newest meta page is possible, and that every page that can be in use is within the file.
  private func check(_ metas: Metas) throws {
    let meta = metas.newest
    // The size is read after the meta page, since pages are written before the meta page that refers to them.
    let pages = UInt64(try source.size() / meta.pageSize)
    for (tree, name) in [(meta.free, "free"), (meta.main, "main")] where tree.root != PageLayout.noRoot {
      guard tree.root >= 2, tree.root <= meta.lastPage else {
        throw PageProblem(.damaged, "the \(name) tree's root is page \(tree.root) of \(meta.lastPage + 1)")
      }
      guard tree.root < pages else {
        throw PageProblem(.truncated, "data.mdb ends at page \(pages), before the \(name) tree's root (\(tree.root))")
      }
    }
    // A reader finds the newest meta page by the transaction's last bit.
    guard metas.newest.transaction % 2 == (metas.isSecondNewer ? 1 : 0) else {
      throw PageProblem(.damaged, "the newest meta page has a transaction number of the other one's")
    }
    for (rules, tree) in [
      (TreeRules(.freeList, meta.free, name: "the free list"), meta.free),
      (TreeRules(.main, meta.main, name: "the main tree"), meta.main),
    ] {
      if let objection = rules.objection(to: tree, pageSize: meta.pageSize) {
        throw PageProblem(.damaged, "\(rules.name) \(objection)")
      }
    }
    guard meta.lastPage < pages else {
      // Pages that were allocated and freed within one transaction are never written, so a sound file may end early; all pages
      // after its end are then in the free list.
      var walk = try TreeWalk(source, meta)
      try walk.walkFree()
      for page in pages...meta.lastPage where !walk.free.contains(Int(page)) {
        throw PageProblem(.truncated, "data.mdb ends at page \(pages), but page \(page) is in use")
      }
      return
    }
  }
}

/// What is wrong with a file.
package struct PageProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Sendable { case empty, notLMDB, newerLMDB, foreignLMDB, truncated, damaged }
  package let kind: Kind
  package let description: String
  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
