import COCO
import Foundation
import Primitives

/// The page that `browse` writes: pictures after the pipeline, side by side.
struct ContactSheet {
  /// What is shown of a place.
  enum Item {
    case picture(Batch)
    /// One that can't be used.
    case bad(COCOError)
  }

  let read: ReadConfiguration
  let name: String
  let part: DataPart
  let section: DatasetConfiguration
  let dataset: CocoDataset
  /// From 1 on.
  let epoch: Int
  let seed: UInt64
  let globalBatch: Int
  /// Of what is shown, in order, with one image each.
  let plans: [BatchPlan]
  private(set) var figures: [Markup] = []
  private(set) var badCount = 0
  private var labels: Set<Int> = []
  private let captions: ClassCaptions

  init(
    _ read: ReadConfiguration, name: String, part: DataPart, _ section: DatasetConfiguration, _ dataset: CocoDataset,
    epoch: Int, seed: UInt64, globalBatch: Int, plans: [BatchPlan]
  ) {
    (self.read, self.name, self.part, self.section, self.dataset) = (read, name, part, section, dataset)
    (self.epoch, self.seed, self.globalBatch, self.plans) = (epoch, seed, globalBatch, plans)
    captions = ClassCaptions(names: dataset.classes, ids: dataset.categoryIDs)
  }

  /// The next picture.
  /// - Throws: `OutputError`.
  mutating func add(_ item: Item, of plan: BatchPlan) throws {
    let index = plan.indices[0]
    let image = dataset.images[index]
    let caption: Markup =
      "<b>\(image.fileName)</b> · image \(dataset.images.identifier(at: index).description)"
    switch item {
    case .bad(let error):
      badCount += 1
      figures.append(
        """
        <figure><div class="empty">\(error.message)</div>
        <figcaption>\(caption)<br/>can't be used: \(consequence)</figcaption></figure>
        """)
    case .picture(let batch):
      labels.formUnion(batch.images[0].gtLabels)
      let drawing = BrowsedPicture(batch, names: captions.texts, ids: dataset.categoryIDs).drawing(
        undoing: section.pipeline)
      let facts = facts(batch.images[0], batch, plan)
      let picture = try EmbeddedPicture(drawing, text: "\(image.fileName): \(facts.joined(separator: ", "))")
      figures.append(
        """
        <figure>\(picture.markup)
        <figcaption>\(caption)<br/>\(facts.joined(separator: " · "))</figcaption></figure>
        """)
    }
  }

  private var consequence: String {
    guard part == .train else { return "a test ends here, unless mpi.on_bad_picture is 'skip'" }
    return read.run.mpi.onBadPicture == .skip
      ? "another picture takes its place in a training (mpi.on_bad_picture: skip)"
      : "a training ends here (mpi.on_bad_picture: stop)"
  }

  private func facts(_ image: Batch.Image, _ batch: Batch, _ plan: BatchPlan) -> [String] {
    let (own, padded) = (image.imgShape, image.padShape)
    var facts = ["\(sizes(image.oriSize)) → \(sizes(own))"]
    if padded != own { facts.append("padded to \(sizes(padded))") }
    if batch.size != padded { facts.append("batch of \(sizes(batch.size))") }
    let scale = image.scaleFactor
    facts.append(
      scale.width == scale.height || abs(scale.width - scale.height) < 0.005
        ? "scale \(fixed(Double(scale.width), 3))"
        : "scale \(fixed(Double(scale.width), 3)) × \(fixed(Double(scale.height), 3))")
    facts.append(image.geometry.flip.map { "flipped: \($0.rawValue)" } ?? "not flipped")
    facts.append(
      count(image.gtBoxes.count, "box", "boxes") + (image.gtIgnore.isEmpty ? "" : ", \(image.gtIgnore.count) ignored"))
    if part == .train { facts.append("iteration \(plan.iteration + 1)") }
    if image.draw != 0 { facts.append("comes once more") }
    return facts
  }

  private func sizes(_ size: ImageSize) -> String { "\(size.width)×\(size.height)" }

  // MARK: The page

  var page: Page {
    let shown = count(figures.count, "picture")
    let order =
      part == .train
      ? "the first of epoch \(epoch)" : "evenly chosen of \(dataset.images.count), in the file's order"
    let summary = "\(shown) of data.\(part.rawValue) after the pipeline, \(order)."
    let bad = badCount > 0 ? ["\(count(badCount, "picture")) can't be used: dashed frames say why."] : []
    return Page(
      title: "\(name): what the pipeline makes of data.\(part.rawValue)", summary: .paragraph(summary),
      sections: [
        PageSection("pipeline", "Pipeline", [steps, .facts(facts), .notices(findings + bad)]),
        PageSection(
          "pictures", "Pictures",
          [
            .paragraph(
              "Boxes are those of the ground truth as training gets them; dashed and grey: ignored (crowd regions). Hatched: what "
                + "padding added, dark up to the picture's own multiple, light where the batch is larger. Normalisation is "
                + "undone for showing."),
            ClassLegend.markup(
              labels, names: dataset.classes, ids: dataset.categoryIDs, drawn: captions.texts),
            "<div class=\"pictures\">\n\(figures)\n</div>",
          ]),
      ], producer: "\(Version.producer), \(timestamp(Date()))")
  }

  private var findings: [String] {
    dataset.summary.findings.map { "\($0.level.rawValue): \($0.text)" } + [captions.notice].compactMap { $0 }
  }

  private var facts: [(String, Markup)] {
    var facts: [(String, Markup)] = [
      ("Annotations", "<code>\(dataset.summary.path)</code>"), ("Pictures", "<code>\(dataset.imageFolder)</code>"),
      ("Data set", "\(dataset.summary.description)"), ("Classes", "\(FirstFew.counted(dataset.classes, most: 100))"),
    ]
    if part == .train {
      facts += [
        ("Seed", "\(String(seed))"), ("Epoch", "\(epoch)"),
        (
          "Global batch",
          "\(count(globalBatch, "image")): of a run on more ranks, mpi.global_batch=N shows the order of its batches"
        ),
      ]
    }
    return facts
  }

  private var steps: Markup {
    let items = section.pipeline.map { step -> Markup in
      let (name, what) = PipelineWords(step).words
      return "<li><b>\(name)</b> \(what)</li>"
    }
    return "<ol>\n\(items)\n</ol>"
  }
}

/// A step of a pipeline for people.
private struct PipelineWords {
  let words: (name: String, what: String)

  init(_ step: PipelineStep) {
    switch step {
    case .loadAsFloats: words = ("LoadImageFromFile", "as floats: Resize does not round to whole grey levels")
    case .resize(let scales, let mode, let keepsRatio, let clipsBoxes):
      let list = scales.map { "\($0.width)×\($0.height)" }.joined(separator: mode == .range ? " to " : ", ")
      let choice = scales.count < 2 ? "" : mode == .range ? " (any size between)" : " (one of them)"
      let ratio = keepsRatio ? ", keeping the ratio" : ", whatever the ratio"
      words = ("Resize", "to \(list)\(choice)\(ratio)\(clipsBoxes ? "" : "; boxes are not clipped")")
    case .randomFlip(let chances):
      let list = chances.map { "\($0.direction.rawValue) in \(fixed(100 * Double($0.ratio), 0)) % of the pictures" }
      words = ("RandomFlip", list.isEmpty ? "never" : list.joined(separator: ", "))
    case .normalize(let mean, let std, let toRGB):
      func numbers(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
      words = ("Normalize", "mean \(numbers(mean)), std \(numbers(std)), \(toRGB ? "RGB" : "BGR")")
    case .pad(let divisor): words = ("Pad", "to multiples of \(divisor)")
    }
  }
}
