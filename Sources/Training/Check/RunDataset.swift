import COCO

/// A data set of a run, and what its user should know of it.
struct RunDataset {
  /// `train`, `val` or `test`.
  let name: String
  let dataset: CocoDataset
  private(set) var findings: [DatasetFinding]

  /// - Parameter named: the data set for training first, with which the others are compared.
  static func all(_ named: [(name: String, dataset: CocoDataset)]) -> [RunDataset] {
    named.enumerated().map { index, part in
      var findings = part.dataset.summary.findings
      if index > 0, named[0].dataset.summary.isForTraining,
        let shared = named[0].dataset.picturesShared(with: part.dataset, names: (named[0].name, part.name))
      {
        findings.append(shared)
      }
      return RunDataset(name: part.name, dataset: part.dataset, findings: findings)
    }
  }

  /// Adds what was seen of its pictures.
  mutating func add(_ report: PictureReport) { findings += dataset.findings(of: report) }
}
