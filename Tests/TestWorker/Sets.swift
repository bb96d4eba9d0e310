import LMDBShare

/// Adds 300 numbers that only this process adds, and 300 that all processes add; prints how many were new.
func fillSet(_ path: String, _ number: Int) throws {
  let set = try SharedStore(path: path).set("set", of: Int.self)
  var added = 0
  for offset in 0..<300 {
    for element in [offset, 300 * (number + 1) + offset] where try set.insert(element).inserted { added += 1 }
  }
  say("\(added)")
}
