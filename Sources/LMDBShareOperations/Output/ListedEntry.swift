package import LMDBShare

/// The position of an entry that is printed, and what a queue says of it.
package struct ListedEntry {
  package var position: Int
  package var item: UntypedContents.Item?

  package init(position: Int, item: UntypedContents.Item? = nil) {
    self.position = position
    self.item = item
  }
}
