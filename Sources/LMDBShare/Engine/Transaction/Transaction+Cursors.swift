internal import _LMDBShareLMDB

extension Transaction {
  /// A position in a tree of a reader's snapshot; nil where LMDB's cursor is used, and when the transaction has failed.
  func takePlace(in database: Database) -> Cell<TreeCursor>? {
    guard !isForLMDB(database), let tree = tree(database) else { return nil }
    guard let place = fields.value.idleCursors.popLast() else {
      return Cell(TreeCursor(fields.value.snapshot.pages, tree))
    }
    place.value.reset(fields.value.snapshot.pages, tree)
    return place
  }

  /// Takes a position back to reuse it, or frees its memory when its transaction is over.
  func recycle(_ place: Cell<TreeCursor>, isCurrent: Bool) {
    if isCurrent { return fields.value.idleCursors.append(place) }
    place.value.destroy()
    place.destroy()
  }

  func openCursor(_ database: Database) -> OpaquePointer? {
    guard isForLMDB(database), let database = opened(database) else { return nil }
    var cursor: OpaquePointer?
    let code = unsafe mdb_cursor_open(handle, database, &cursor)
    guard code == 0 else {
      fail(code, "open a cursor")
      return nil
    }
    unsafe fields.value.cursors.append(cursor!)
    return unsafe cursor
  }

  /// Closes LMDB's cursor, which relies on a position that later writes may have moved (`mdb_cursor_last` after an append, say).
  func recycle(_ cursor: OpaquePointer) {
    // If it is not listed, it was closed with its database.
    guard let index = unsafe fields.value.cursors.lastIndex(of: cursor) else { return }
    unsafe fields.value.cursors.remove(at: index)
    unsafe mdb_cursor_close(cursor)
  }

  func closeCursors() {
    guard unsafe !fields.value.cursors.isEmpty else { return }
    unsafe fields.value.cursors.forEach { unsafe mdb_cursor_close($0) }
    unsafe fields.value.cursors.removeAll(keepingCapacity: true)
  }
}
