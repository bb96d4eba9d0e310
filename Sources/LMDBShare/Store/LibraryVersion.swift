extension SharedStore {
  /// The version of this library; the tool and the first heading of CHANGELOG.md have the same.
  public static let libraryVersion = "0.2.0"
}
