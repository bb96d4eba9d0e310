extension PageFile {
  /// Walks every page that the newest transaction reaches and throws the first contradiction: whatever would let LMDB read
  /// or write elsewhere, run on without end, miss an entry, or count wrongly.
  ///
  /// That is: references out of bounds or twice; depths and counts; flags that LMDB 0.9 does not write in a tree of that
  /// kind; nodes that overlap or leave gaps; keys that do not ascend, or lie outside of the separators above them; pages
  /// both free and in use. What the bytes of values mean is not looked at. Pages that are neither free nor in use are
  /// no contradiction: LMDB never uses them again, and counts as before.
  ///
  /// - Complexity: O(*pages*), each read once; of values with pages of their own, the header alone. A bit a page of memory.
  package func check() throws {
    let meta = try newestMeta()
    // LMDB never leaves less; what is mapped is at least what is in use.
    guard meta.mapSize >= (meta.lastPage + 1) * UInt64(meta.pageSize), meta.mapSize <= Meta.mostBytes else {
      throw PageProblem(.damaged, "the newest meta page tells a map of \(meta.mapSize) bytes")
    }
    var walk = try TreeWalk(source, meta)
    try walk.walkFree()
    try walk.walkMain()
    try walk.compareFree()
  }
}
