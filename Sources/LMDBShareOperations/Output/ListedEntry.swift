package import LMDBShare

/// The position of a printed entry, and the state of an item.
package struct ListedEntry {
  package var position: Int
  package var item: UntypedContents.Item?

  package init(position: Int, item: UntypedContents.Item? = nil) {
    self.position = position
    self.item = item
  }
}
