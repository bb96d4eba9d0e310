import LMDBShare

/// Two versions of a program that use one store at the same time.
let versionCommands: [String: Command] = [
  "old-version": { path, number in
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let jobs = try store.dictionary("jobs", of: String.self, OldJob.self)
    let list = try store.list("list", of: OldJob.self)
    say("ready")
    for round in 0..<number {
      try jobs.update("job", default: OldJob(path: "")) { $0.tries += 1 }
      try list.update(at: round % list.read { $0.count }) { $0.place.city = "Oslo \(round)" }
    }
    // What the other program adds is read.
    guard try jobs.read({ jobs in jobs.allSatisfy { $0.value.path.hasPrefix("/") } }) else { return say("unreadable") }
    say("done")
  },
  "new-version": { path, number in
    let store = try SharedStore(path: path, options: .durability(.processCrashOnly))
    let jobs = try store.dictionary("jobs", of: String.self, NewJob.self)
    let list = try store.list("list", of: NewJob.self)
    say("ready")
    for round in 0..<number {
      try jobs.update("job", default: NewJob(path: "")) { job in
        job.size += 1
        job.place.street = "Elm \(round)"
      }
      try jobs.set(
        NewJob(path: "/\(round)", tries: 0, place: .init(city: "Rome"), size: round), forKey: "new \(round % 50)")
      try list.update(at: round % list.read { $0.count }) { $0.size += 1 }
    }
    say("done")
  },
]

private struct OldJob: Codable, Storable {
  static let storageTypeName = "Job"
  var path: String
  var tries = 0
  var place = Place()
  struct Place: Codable { var city = "Kyiv" }
}

/// What the fields are that the other version does not have, it says with initial values.
private struct NewJob: FieldStorable {
  static let storageTypeName = "Job"
  var path: String
  var tries = 0
  var place = Place()
  var size = 0
  static let storedFields = Fields(
    NewJob.init, Field("path", \.path), Field("tries", \.tries), Field("place", \.place),
    Field("size", \.size, initially: 0))

  struct Place: FieldStorable {
    var city = "Kyiv"
    var street: String?
    static let storedFields = Fields(Place.init, Field("city", \.city), Field("street", \.street))
  }
}
