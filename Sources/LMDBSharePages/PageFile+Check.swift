extension PageFile {
  /// Walks every page that can be reached from the newest transaction, and throws the first contradiction: everything that would
  /// let LMDB read or write elsewhere, loop forever, miss an entry, or count wrongly.
  ///
  /// These are: references out of bounds, and double references; depths and counts; flags that LMDB 0.9 does not write in a tree
  /// of that kind; nodes that overlap or leave gaps; keys that do not ascend, or lie outside the separators above them; pages
  /// that are both free and in use. The meaning of values is not checked. Pages that are neither free nor in use are not a
  /// contradiction: LMDB never uses them again.
  ///
  /// - Complexity: O(*pages*). Each page is read once; of values on separate pages only the header is read. Uses one bit of
  ///   memory per page.
  package func check() throws {
    let meta = try newestMeta()
    // LMDB never leaves less: the map is at least as large as the used part of the file.
    guard meta.mapSize >= (meta.lastPage + 1) * UInt64(meta.pageSize), meta.mapSize <= Meta.mostBytes else {
      throw PageProblem(.damaged, "the newest meta page has a map size of \(meta.mapSize) bytes")
    }
    var walk = try TreeWalk(source, meta)
    try walk.walkFree()
    try walk.walkMain()
    try walk.compareFree()
  }
}
