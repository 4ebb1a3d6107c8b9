import COCO
import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// Pictures as the pipeline makes them.
  @Suite("browse") struct BrowseTests {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private func sheet(_ arguments: [String], _ path: String) throws -> PageContent {
      try run.program.succeed(["browse", "tiny.yaml", "--out", path] + arguments)
      let page = PageContent(String(decoding: try run.folder.read(path), as: UTF8.self))
      #expect(page.faults.isEmpty, "\(path): \(page.faults.prefix(10))")
      return page
    }

    /// The ids of the images that are shown, in order.
    private func images(_ page: PageContent) -> [String] {
      page.lines.compactMap { line in line.firstMatch(of: /^· image (\d+)$/).map { String($0.1) } }
    }

    @Test("The order is a training's, and so are the draws") func order() throws {
      let first = try sheet(["--number", "8"], "first.html")
      #expect(first.sections == ["pipeline", "pictures"] && first.all("img").count == 8)
      let plan = try run.program.succeed(
        ["train", "tiny.yaml", "--dry-run", "--work-dir", "work"])
      let batches = plan.output.matches(of: /batch \d+: images (.*)/).flatMap { $0.1.split(separator: ", ") }
      #expect(batches.count == 12 && images(first) == batches.prefix(8).map(String.init), "\(plan)")
      #expect(try images(sheet(["--number", "8"], "again.html")) == images(first))
      let second = try sheet(["--number", "8", "--epoch", "2"], "second.html")
      #expect(images(second) != images(first))
      #expect(try images(sheet(["--number", "8", "--seed", "5"], "seed.html")) != images(first))
      // An epoch ends where it ends: 22 images in batches of 4.
      let all = try sheet(["--number", "500"], "all.html")
      #expect(all.all("img").count == 24 && all.lines.count { $0.contains("comes once more") } == 2)
      let flips = all.lines.count { $0.contains("flipped: horizontal") }
      #expect(flips > 4 && flips < 20)
      // Padded to multiples of 32.
      let sizes = all.all("img").flatMap { [$0.attributes["width"], $0.attributes["height"]] }
      #expect(sizes.allSatisfy { ["32", "64", "96", "128"].contains($0) }, "\(sizes)")
    }

    @Test("val is spread over the file, and padding is shown") func validation() throws {
      let page = try sheet(
        ["--data", "val", "--number", "3", "--cfg-options"]
          + ["data.val.pipeline.1.img_scale=[100, 90]"], "val.html")
      #expect(images(page).count == 3 && Set(images(page)).count == 3)
      #expect(page.lines.contains { $0.contains("padded to") && $0.contains("not flipped") })
    }

    @Test("A picture that can't be used is an empty frame, and no other is lost") func badPicture() throws {
      let order = images(try sheet(["--number", "6"], "before.html"))
      let file = try AnnotationFile(reading: run.folder.path("data/annotations/instances_train.json"))
      let image = try #require(file.images.first { "\($0.id)" == order[2] })
      try run.folder.write("no picture", to: "data/train/\(image.fileName)")
      let page = try sheet(["--number", "6"], "after.html")
      #expect(images(page) == order && page.all("img").count == 5)
      #expect(page.lines.contains { $0.contains("can't be used: a training ends here") })
      let skipping = try sheet(["--number", "6", "--cfg-options", "mpi.on_bad_picture=skip"], "skip.html")
      #expect(skipping.lines.contains { $0.contains("another picture takes its place") })
    }

    @Test("Mistakes") func mistakes() throws {
      for (arguments, code, text) in [
        (["--number", "0"], 64, "--number is 0"), (["--epoch", "0"], 64, "--epoch is 0"),
        (["--data", "test", "--cfg-options", "data.test=null"], 78, "'data.test' is missing"),
        (["--out", "data"], 74, "can't be written"),
      ] as [([String], Int32, String)] {
        let outcome = try run.program.run(["browse", "tiny.yaml"] + arguments)
        #expect(outcome.code == code && outcome.errors.contains(text), "\(arguments): \(outcome)")
      }
    }
  }
}
