/// A count with its noun, for people.
package func counted(_ number: Int, _ thing: String) -> String {
  let plural = thing.hasSuffix("y") ? String(thing.dropLast()) + "ies" : thing + "s"
  return "\(number) \(number == 1 ? thing : plural)"
}
