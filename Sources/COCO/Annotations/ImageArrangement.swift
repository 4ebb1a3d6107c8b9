/// Which images an epoch has, and how often: `ConcatDataset`, `RepeatDataset` and `ClassBalancedDataset`.
package struct ImageArrangement {
  /// For each of the data set's images the file that it is from.
  let sourceOfImage: [Int]
  /// For each the classes of its annotations.
  let classesOfImage: (Int) -> Set<Int>

  package init(sourceOfImage: [Int], classesOfImage: @escaping (Int) -> Set<Int>) {
    (self.sourceOfImage, self.classesOfImage) = (sourceOfImage, classesOfImage)
  }

  /// The images that come more than once, again, in the order of the arrangement; the first time of each is left out.
  package func repeats(_ arrangement: DatasetArrangement) -> [(image: Int, number: Int)] {
    var counts = [Int](repeating: 0, count: sourceOfImage.count)
    return members(arrangement).compactMap { image in
      counts[image] += 1
      return counts[image] > 1 ? (image, counts[image] - 1) : nil
    }
  }

  private func members(_ arrangement: DatasetArrangement) -> [Int] {
    switch arrangement {
    case .source(let source): return sourceOfImage.indices.filter { sourceOfImage[$0] == source }
    case .concatenation(let parts): return parts.flatMap(members)
    case .repetition(let part, let times):
      let members = members(part)
      return (0..<times).flatMap { _ in members }
    case .classBalance(let part, let threshold):
      let members = members(part)
      return zip(members, Self.repeatFactors(of: members.map(classesOfImage), threshold: threshold)).flatMap {
        [Int](repeating: $0, count: Int($1.rounded(.up)))
      }
    }
  }

  /// Of a list of images, by the classes in each (Gupta et al. 2019, section 4.1): √(threshold / f) of its rarest class,
  /// at least 1, where f is the part of the images in which a class is.
  package static func repeatFactors(of classes: [Set<Int>], threshold: Double) -> [Double] {
    var counts: [Int: Int] = [:]
    for label in classes.joined() { counts[label, default: 0] += 1 }
    return classes.map { labels in
      labels.reduce(1) { factor, label in
        max(factor, (threshold / (Double(counts[label] ?? 1) / Double(classes.count))).squareRoot())
      }
    }
  }
}
