// swift-tools-version: 6.3
import PackageDescription

// A separate package: it proves the library as a client sees it, only through the public interface.
let package = Package(
  name: "proof",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "proof", targets: ["Proof"]),
    // Loaded before the system's library into processes in which calls have to fail.
    .library(name: "Interpose", type: .dynamic, targets: ["CInterpose"]),
  ],
  dependencies: [
    .package(name: "lmdbshare", path: "../..", traits: ["FoundationCodecs"]),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .target(name: "CProof"),
    .target(name: "CInterpose", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .executableTarget(
      name: "Proof",
      dependencies: [
        "CProof", .product(name: "LMDBShare", package: "lmdbshare"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
