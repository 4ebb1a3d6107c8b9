import Foundation
import Primitives

/// What was run.
struct RunSection {
  private let content: ReportContent

  init(_ content: ReportContent) { self.content = content }

  var section: PageSection { PageSection("run", "The run", [.facts(facts), .notices(notices), runs]) }

  private var facts: [(String, Markup)] {
    let run = content.read.run
    var facts: [(String, Markup)] = [
      ("Work directory", "<code>\(content.options.workDir)</code>"),
      ("Configuration", "<code>\(content.configurationPath)</code>"),
      ("Detector", "\(detector)"),
      ("Training data", "<code>\(run.data.train.annFile)</code>"),
    ]
    if let checkpoint = content.checkpoint {
      facts.append(("Checkpoint", "<code>\(checkpoint.path)</code>"))
    } else {
      facts.append(("Checkpoint", "none"))
    }
    // A file of another program says nothing of its training.
    if let checkpoint = content.checkpoint, checkpoint.iteration > 0 {
      let ranks = count(checkpoint.worldSize, "rank")
      facts += [
        ("Trained for", "\(count(checkpoint.epoch, "epoch")), \(count(checkpoint.iteration, "iteration"))\(plan)"),
        ("Ranks and batch", "\(ranks), global batch \(checkpoint.globalBatch)"),
        ("Seed", "\(String(checkpoint.seed))"),
        ("Begun", "\(checkpoint.created)"),
        ("Trained with", "\(checkpoint.producer)"),
      ]
    }
    if let detections = content.detections {
      let images = count(detections.dataset.images.count, "image")
      facts.append(("Measured on", "<code>\(detections.dataset.summary.path)</code> (\(detections.part), \(images))"))
      facts.append(("Detections", "\(count(detections.detections.count, "box", "boxes"))\(from(detections.file))"))
    }
    facts.append(("Report made", "\(timestamp(content.date)) by \(Version.producer)"))
    return facts
  }

  private func from(_ file: String?) -> Markup { file.map { " from <code>\($0)</code>" } ?? "" }

  /// How long it is to be.
  private var plan: String {
    let runner = content.read.run.runner
    let limits = [
      runner.maxEpochs.map { count($0, "epoch") }, runner.maxIters.map { count($0, "iteration") },
    ].compactMap { $0 }
    return limits.isEmpty ? "" : " (of \(limits.joined(separator: ", at most ")))"
  }

  private var detector: String {
    let model = content.read.run.model
    let kind =
      switch (model.roiHead, model.source) {
      case (nil, _): "RPN"
      case (_?, .given): "Fast R-CNN with given proposals"
      case (let head?, _): head.kind == .cascade ? "Cascade R-CNN" : "Faster R-CNN"
      }
    return kind + (model.numClasses.map { ", \(count($0, "class", "classes"))" } ?? "")
  }

  private var notices: [String] {
    (content.checkpoint?.passedOver ?? []) + [content.detections?.warning].compactMap { $0 }
  }

  /// The processes that trained.
  private var runs: Markup {
    let runs = content.history.runs
    guard runs.count > 1 else { return "" }
    var table = PageTable(
      caption: "The training was started \(runs.count) times",
      columns: [.text("Log"), .text("On"), .number("First line")])
    for run in runs {
      let first = run.first.map { place -> Markup in
        content.history.countsEpochs
          ? "epoch \(place.epoch), iteration \(place.iteration)" : "iteration \(place.iteration)"
      }
      table.rows.append(["\(run.file)", "\(run.environment ?? "unknown")", first ?? "none"])
    }
    return table.markup
  }
}
