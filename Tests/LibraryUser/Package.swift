// swift-tools-version: 6.0
// A package of its own that depends on this one by path; 'swift run two-steps CONFIG' in this folder.
import PackageDescription

let package = Package(
  name: "library-user",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "rcnn-train", path: "../..")],
  targets: [
    .executableTarget(name: "two-steps", dependencies: [.product(name: "RCNN", package: "rcnn-train")])
  ],
  swiftLanguageModes: [.v6]
)
