// swift-tools-version: 6.3
import PackageDescription

// A separate package: the benchmark must see the library as a client does, and clients of the library do not build it.
let package = Package(
  name: "bench",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "lmdbshare", path: "../..", traits: ["FoundationCodecs"])],
  targets: [
    // The floor: the same work in C on raw liblmdb.
    .target(name: "CFloor", linkerSettings: [.linkedLibrary("lmdb")]),
    .executableTarget(name: "Bench", dependencies: ["CFloor", .product(name: "LMDBShare", package: "lmdbshare")]),
  ],
  swiftLanguageModes: [.v6]
)
