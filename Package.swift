// swift-tools-version: 6.0
import Foundation
import PackageDescription

#if arch(x86_64)
  /// The level of x86-64 that the processor of this machine reaches.
  func levelOfThisMachine() -> String {
    guard let information = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return "x86-64-v3" }
    let line = information.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
    let flags = Set(line.split(separator: " ").map(String.init))
    func has(_ names: String) -> Bool { flags.isSuperset(of: names.split(separator: " ").map(String.init)) }
    guard has("avx2 bmi1 bmi2 f16c fma abm movbe") else { return "x86-64-v2" }
    return has("avx512f avx512bw avx512cd avx512dq avx512vl") ? "x86-64-v4" : "x86-64-v3"
  }

  /// The instruction set that the kernels are built for: this machine's, or `RCNN_MARCH`, for example
  /// `RCNN_MARCH=x86-64-v3 swift build …` for all servers since 2013.
  let architecture = Context.environment["RCNN_MARCH"] ?? levelOfThisMachine()
#else
  let architecture = Context.environment["RCNN_MARCH"] ?? ""
#endif
let architectureFlag = architecture.isEmpty ? [] : ["-march=\(architecture)"]

/// Loops over numbers, pixels and text are unusably slow without optimisation, so that the library's targets have it in a debug
/// build, too, each as a whole, since generic code is made for its types only where both are seen. `RCNN_UNOPTIMIZED=1 swift build`
/// leaves all but the kernels as they are, for stepping through.
let optimization: [SwiftSetting] = [
  .unsafeFlags(["-O", "-wmo", "-num-threads", "2", "-disable-batch-mode"], .when(configuration: .debug))
]
let optimizedInDebug = Context.environment["RCNN_UNOPTIMIZED"] == nil ? optimization : []
let kernelSettings: [SwiftSetting] =
  [.unsafeFlags(architectureFlag.flatMap { ["-Xcc", $0] })] + optimization + [.unsafeFlags(["-Ounchecked"])]

let package = Package(
  name: "rcnn-train",
  platforms: [.macOS(.v15)],
  products: [
    .library(
      name: "RCNN",
      targets: [
        "Primitives", "MPI", "HDF5", "Kernels", "Tensors", "Layers", "Detection", "COCO", "Distributed", "Training",
      ]),
    .executable(name: "rcnn-train", targets: ["rcnn-train"]),
    .executable(name: "rcnn-bench", targets: ["rcnn-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.31.0"),
  ],
  targets: [
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),
    .systemLibrary(name: "CTIFF", pkgConfig: "libtiff-4", providers: [.apt(["libtiff-dev"])]),
    .systemLibrary(name: "CGIF", pkgConfig: "libgif", providers: [.apt(["libgif-dev"])]),
    .target(name: "CKernelFeatures", cSettings: [.unsafeFlags(architectureFlag)]),
    .target(
      name: "CMachine", dependencies: ["CKernelFeatures"],
      cSettings: [.define("RCNN_MARCH_NAME", to: "\"\(architecture)\"")]),

    .target(name: "Primitives", dependencies: ["CMachine"], swiftSettings: optimizedInDebug),
    .target(name: "MPI", dependencies: ["CMPI", "CMachine", "Primitives"]),
    .target(name: "HDF5", dependencies: ["CHDF5", "Primitives"]),
    .target(name: "Kernels", dependencies: ["CMachine", "COpenBLAS", "Primitives"], swiftSettings: kernelSettings),
    .target(name: "Tensors", dependencies: ["Kernels", "Primitives"], swiftSettings: optimizedInDebug),
    .target(name: "Layers", dependencies: ["Kernels", "Tensors", "Primitives"], swiftSettings: optimizedInDebug),
    .target(
      name: "Detection", dependencies: ["Kernels", "Layers", "Primitives", "Tensors"], swiftSettings: optimizedInDebug),
    .target(
      name: "COCO", dependencies: ["CGIF", "CMachine", "CPNG", "CTIFF", "CTurboJPEG", "CWebP", "Primitives"],
      swiftSettings: optimizedInDebug),
    .target(name: "Distributed", dependencies: ["CMachine", "Kernels", "MPI", "Tensors", "Primitives"]),
    .target(
      name: "TensorBoard",
      dependencies: ["Primitives", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Messages/event.proto", "Messages/summary.proto"]),
    .target(
      name: "Training",
      dependencies: [
        "COCO", "Detection", "Distributed", "HDF5", "Kernels", "Layers", "MPI", "Primitives", "TensorBoard", "Tensors",
        "CMachine", "Yams",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: optimizedInDebug),
    .executableTarget(
      name: "rcnn-train",
      dependencies: ["Primitives", "Training", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .executableTarget(
      name: "rcnn-bench",
      dependencies: [
        "COCO", "Detection", "Distributed", "Kernels", "Layers", "MPI", "Primitives", "Tensors", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .executableTarget(name: "manual-page"),

    .target(name: "TestSupport", dependencies: ["HDF5", "Primitives"], path: "Tests/TestSupport"),
    .executableTarget(
      name: "rank-probe", dependencies: ["COCO", "Distributed", "Kernels", "MPI", "Primitives", "Tensors", "Training"],
      path: "Tests/RankProbe"),
    .executableTarget(
      name: "two-steps", dependencies: ["COCO", "Distributed", "MPI", "Training"],
      path: "Tests/LibraryUser/Sources/two-steps"),
    .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"]),
    .testTarget(name: "HDF5Tests", dependencies: ["HDF5", "TestSupport"]),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "TestSupport"], swiftSettings: optimizedInDebug),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestSupport"]),
    .testTarget(name: "LayersTests", dependencies: ["Layers", "TestSupport"]),
    .testTarget(name: "DetectionTests", dependencies: ["Detection", "TestSupport"]),
    .testTarget(name: "COCOTests", dependencies: ["COCO", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "DistributedTests", dependencies: ["Distributed", "MPI", "TestSupport", "rank-probe"]),
    .testTarget(
      name: "TensorBoardTests",
      dependencies: [
        "Primitives", "TensorBoard", "TestSupport", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    .testTarget(
      name: "TrainingTests", dependencies: ["COCO", "HDF5", "Layers", "Training", "TestSupport", "Yams", "rcnn-train"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "IntegrationTests",
      dependencies: [
        "COCO", "Detection", "Kernels", "Primitives", "TensorBoard", "Training", "TestSupport", "rcnn-train",
        "rcnn-bench", "two-steps", "manual-page", "Yams", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// `RCNN_ONLY=KernelsTests` leaves that target and what it needs, for `launch/test`.
if let root = Context.environment["RCNN_ONLY"] {
  var (wanted, open): (Set<String>, [String]) = ([root], [root])
  while let name = open.popLast() {
    for case .byNameItem(let dependency, _) in package.targets.first(where: { $0.name == name })?.dependencies ?? []
    where wanted.insert(dependency).inserted { open.append(dependency) }
  }
  package.targets.removeAll { !wanted.contains($0.name) }
  (package.products, package.dependencies) = ([], [])
}
