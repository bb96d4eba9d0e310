// swift-tools-version: 6.3
import PackageDescription

// LMDBShare is the one import of a program. Below it are a bounds-checked reader of LMDB's page format and two C modules:
// liblmdb, and what Swift cannot say by itself. The names of targets are global to a client's package graph, so they carry the
// package's.

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
    // The target is `LMDBShareTool`: a target `lmdbshare` beside `LMDBShare` would collide on case-insensitive disks.
    .executable(name: "lmdbshare", targets: ["LMDBShareTool"]),
    .executable(name: "shared-state", targets: ["LMDBShareSharedState"]),
    .executable(name: "wordcount", targets: ["LMDBShareWordCount"]),
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
    .systemLibrary(name: "_LMDBShareLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    .target(name: "_LMDBShareSystem"),
    .target(name: "LMDBSharePages"),
    .target(name: "LMDBShare", dependencies: ["LMDBSharePages", "_LMDBShareLMDB", "_LMDBShareSystem"]),
    .target(name: "LMDBShareOperations", dependencies: ["LMDBShare", "_LMDBShareSystem"]),
    .executableTarget(
      name: "LMDBShareTool", dependencies: ["LMDBShareOperations", "LMDBShare", "_LMDBShareSystem", .commandLine],
      exclude: ["lmdbshare.1"]),
    .executableTarget(name: "LMDBShareSharedState", dependencies: ["LMDBShare"], path: "Sources/Examples/SharedState"),
    .executableTarget(
      name: "LMDBShareWordCount", dependencies: ["LMDBShare", .commandLine], path: "Sources/Examples/WordCount"),
    // What the tests start as other processes, and what they share.
    .executableTarget(
      name: "TestWorker", dependencies: ["LMDBShare", "CTestShims", "TestSupport"], path: "Tests/TestWorker"),
    .target(name: "TestSupport", dependencies: ["CTestShims"], path: "Tests/TestSupport"),
    .target(name: "CTestShims", dependencies: ["_LMDBShareLMDB"], path: "Tests/CTestShims"),
    .testTarget(
      name: "EngineTests",
      dependencies: ["LMDBShare", "LMDBSharePages", "_LMDBShareSystem", "TestSupport", "CTestShims", "TestWorker"],
      exclude: ["Resources"]),
    .testTarget(
      name: "LMDBShareTests",
      dependencies: ["LMDBShare", "TestSupport", "TestWorker", "LMDBShareSharedState", "LMDBShareWordCount"],
      exclude: ["Resources"]),
    .testTarget(
      name: "ToolTests",
      dependencies: ["LMDBShareTool", "LMDBShareOperations", "LMDBShare", "TestSupport", "TestWorker"]),
  ],
  swiftLanguageModes: [.v6]
)

extension Target.Dependency {
  static var commandLine: Target.Dependency {
    .product(name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["CommandLineTools"]))
  }
}

for target in package.targets where target.type != .system && !target.name.hasPrefix("_") && target.name != "CTestShims"
{
  // Tests drive the operating system by hand, which is unsafe by its nature.
  target.swiftSettings = target.name.hasPrefix("Test") || target.type == .test ? common : strict
}
