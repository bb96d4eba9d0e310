// swift-tools-version: 6.2
import PackageDescription

// Layers, top down: Inspect and Examples use LMDBShare, which is the one import of a program; LMDBShare stands on LMDB
// (the one place that touches liblmdb and says `unsafe`), LMDB on LMDBPages (a bounds-checked reader of LMDB's page
// format) and on two C modules.

let common: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  // Results that borrow from a transaction: `@_lifetime(borrow self) … -> RawSpan?`.
  .enableExperimentalFeature("Lifetimes"),
]
let strict = common + [.strictMemorySafety()]

let package = Package(
  name: "lmdbshare",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "LMDBShare", targets: ["LMDBShare"]),
    // The target is `Inspect`: a target `lmdbshare` beside `LMDBShare` would collide on case-insensitive disks.
    .executable(name: "lmdbshare", targets: ["Inspect"]),
    .executable(name: "shared-state", targets: ["SharedState"]),
    .executable(name: "wordcount", targets: ["WordCount"]),
  ],
  traits: [
    .trait(
      name: "FoundationCodecs", description: "Data, Date, UUID and any Codable as elements (FoundationEssentials)."),
    .trait(
      name: "CommandLineTools", description: "The lmdbshare tool and the example programs (swift-argument-parser)."),
    .default(enabledTraits: ["FoundationCodecs", "CommandLineTools"]),
  ],
  dependencies: [
    // Only for the command line; a client that names `traits: []` or `["FoundationCodecs"]` never clones it.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    .target(name: "CSystemShims"),
    .target(name: "LMDBPages"),
    .target(name: "LMDB", dependencies: ["CLMDB", "CSystemShims", "LMDBPages"]),
    .target(name: "LMDBShare", dependencies: ["LMDB"]),
    .executableTarget(
      name: "Inspect", dependencies: ["LMDBShare", "CSystemShims", .commandLine], exclude: ["lmdbshare.1"]),
    .executableTarget(name: "SharedState", dependencies: ["LMDBShare"], path: "Sources/Examples/SharedState"),
    .executableTarget(
      name: "WordCount", dependencies: ["LMDBShare", .commandLine], path: "Sources/Examples/WordCount"),
    // What the tests start as other processes, and what they share.
    .executableTarget(
      name: "TestWorker", dependencies: ["LMDBShare", "CTestShims", "TestSupport"], path: "Tests/TestWorker"),
    .target(name: "TestSupport", dependencies: ["CTestShims"], path: "Tests/TestSupport"),
    .target(name: "CTestShims", dependencies: ["CLMDB"], path: "Tests/CTestShims"),
    .testTarget(
      name: "LMDBTests", dependencies: ["LMDB", "LMDBPages", "LMDBShare", "TestSupport", "CTestShims", "TestWorker"],
      exclude: ["Resources"]),
    .testTarget(
      name: "LMDBShareTests",
      dependencies: ["LMDBShare", "TestSupport", "TestWorker", "SharedState", "WordCount"],
      exclude: ["Resources"]),
    .testTarget(name: "InspectTests", dependencies: ["Inspect", "LMDBShare", "TestSupport", "TestWorker"]),
  ],
  swiftLanguageModes: [.v6]
)

extension Target.Dependency {
  static var commandLine: Target.Dependency {
    .product(name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["CommandLineTools"]))
  }
}

for target in package.targets where target.type != .system && !target.name.hasPrefix("C") {
  // Tests drive the operating system by hand, which is unsafe by its nature.
  target.swiftSettings = target.name.hasPrefix("Test") || target.type == .test ? common : strict
}
