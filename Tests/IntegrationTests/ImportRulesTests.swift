import Foundation
import Testing

/// The rules of `Sources/README.md` about who may import whom and where unsafe pointers may stand.
@Suite struct ImportRulesTests {
  /// What each target may import, apart from Foundation and the standard library's modules. A target stands below all
  /// that it imports, so that there is no way back.
  private static let allowed: [(target: String, imports: Set<String>)] = [
    ("Primitives", ["CMachine"]),
    ("MPI", ["CMPI", "CMachine", "Primitives"]),
    ("HDF5", ["CHDF5", "Primitives"]),
    ("Kernels", ["CMachine", "COpenBLAS", "Primitives"]),
    ("Tensors", ["Kernels", "Primitives"]),
    ("Layers", ["Kernels", "Primitives", "Tensors"]),
    ("Detection", ["Kernels", "Layers", "Primitives", "Tensors"]),
    ("COCO", ["CGIF", "CMachine", "CPNG", "CTIFF", "CTurboJPEG", "CWebP", "Primitives"]),
    ("Distributed", ["CMachine", "Kernels", "MPI", "Primitives", "Tensors"]),
    ("TensorBoard", ["Primitives", "SwiftProtobuf"]),
    (
      "Training",
      [
        "CMachine", "COCO", "Detection", "Distributed", "HDF5", "Kernels", "Layers", "Logging", "MPI", "Primitives",
        "TensorBoard", "Tensors", "Yams",
      ]
    ),
    ("rcnn-train", ["ArgumentParser", "Primitives", "Training"]),
    (
      "rcnn-bench",
      [
        "ArgumentParser", "COCO", "Detection", "Distributed", "Kernels", "Layers", "MPI", "Primitives", "Tensors",
        "Training",
      ]
    ),
    ("manual-page", []),
  ]
  private static let standard: Set = ["Dispatch", "Foundation", "FoundationEssentials", "Synchronization"]
  private static let cModules: Set = [
    "CGIF", "CHDF5", "CMPI", "CMachine", "COpenBLAS", "CPNG", "CTIFF", "CTurboJPEG", "CWebP",
  ]

  /// Where unsafe pointer types may stand: the kernels, the owners of memory and of C handles, and
  /// the loops over a picture's pixels.
  private static let unsafePlaces = [
    "Kernels/", "Tensors/BufferPool.swift", "Tensors/FixedPointSums.swift", "Tensors/Parameter.swift",
    "Tensors/Tensor.swift",
    "MPI/Communicator.swift", "MPI/NodeMemory.swift", "MPI/World.swift", "Distributed/Watchdog/ProgressPage.swift",
    "Distributed/Watchdog/Datagrams.swift", "HDF5/File.swift", "HDF5/Writer.swift",
    "COCO/Annotations/AnnotationBlock.swift", "COCO/Proposals/ProposalBlock.swift",
    "COCO/Pictures/ImageEncoder.swift", "COCO/JSON/JSONText.swift", "COCO/Pictures/PNGDecoder.swift",
    "COCO/Pictures/JPEGDecoder.swift", "COCO/Pictures/WebPDecoder.swift", "COCO/Pictures/TIFFDecoder.swift",
    "COCO/Pictures/GIFDecoder.swift", "COCO/Pictures/PartialFile.swift", "COCO/Archives/TarIndex.swift",
    "COCO/Transforms/Resize.swift", "COCO/Transforms/Normalize.swift", "COCO/Batches/Batch.swift",
    "COCO/Transforms/Sample.swift",
  ]

  @Test func eachTargetImportsOnlyWhatStandsBelowIt() throws {
    var below: Set<String> = Self.standard.union(Self.cModules).union([
      "ArgumentParser", "Logging", "SwiftProtobuf", "Yams",
    ])
    for (target, imports) in Self.allowed {
      #expect(imports.isSubset(of: below), "the table lets \(target) import what does not stand before it")
      below.insert(target)
    }
    let table = Dictionary(uniqueKeysWithValues: Self.allowed.map { ($0.target, $0.imports) })
    for file in try SourceFile.all() {
      guard let allowed = table[file.target] else {
        Issue.record("\(file.path): the target \(file.target) is missing in the table")
        continue
      }
      for line in file.imports {
        #expect(
          allowed.union(Self.standard).contains(line.module),
          "\(file.path) imports \(line.module), which \(file.target) may not")
      }
    }
  }

  @Test func cModulesAreImportedInternally() throws {
    for file in try SourceFile.all() {
      for line in file.imports where Self.cModules.contains(line.module) {
        #expect(line.attributes == ["internal"], "\(file.path): expected 'internal import \(line.module)'")
      }
    }
  }

  @Test func unsafePointersStayInTheirPlaces() throws {
    let unsafe = /Unsafe(Mutable)?(Raw)?(Buffer)?Pointer|OpaquePointer/
    for file in try SourceFile.all() where file.text.contains(unsafe) {
      #expect(Self.unsafePlaces.contains { file.path.hasPrefix($0) }, "\(file.path) uses an unsafe pointer type")
    }
    for place in Self.unsafePlaces where !place.hasSuffix("/") {
      let file = try #require(try SourceFile.all().first { $0.path == place }, "there is no Sources/\(place)")
      #expect(file.text.contains(unsafe), "\(place) uses no unsafe pointer type any more: strike it off the list")
    }
  }

  @Test func filesHaveAtMost400Lines() throws {
    for file in try SourceFile.all() {
      let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
      #expect(lines <= 400, "\(file.path) has \(lines) lines")
    }
  }
}

/// A Swift file of `Sources`.
private struct SourceFile {
  /// Relative to `Sources`.
  let path: String
  let text: String

  var target: String { String(path.prefix { $0 != "/" }) }

  /// The `import` lines: `internal import CMPI` has the attribute `internal`.
  var imports: [(module: String, attributes: [String])] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      guard let place = words.firstIndex(of: "import"), words.count > place + 1,
        words[..<place].allSatisfy({ $0.hasPrefix("@") || ["internal", "package", "private", "public"].contains($0) })
      else { return nil }
      // 'import struct Foundation.Date' names a kind first.
      let kinds = ["class", "enum", "func", "protocol", "struct", "typealias", "var"]
      let name = kinds.contains(words[place + 1]) ? words[place + 2] : words[place + 1]
      return (String(name.prefix { $0 != "." }), Array(words[..<place]))
    }
  }

  static func all() throws -> [SourceFile] {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources").path
    let paths = try FileManager.default.subpathsOfDirectory(atPath: sources).filter { $0.hasSuffix(".swift") }
    try #require(paths.count > 100, "the sources are not at \(sources)")
    return try paths.sorted().map { path in
      SourceFile(path: path, text: try String(contentsOfFile: "\(sources)/\(path)", encoding: .utf8))
    }
  }
}
