/// Which of a file's categories take part, and whether they can.
extension AnnotationFile {
  /// The category of each class.
  ///
  /// Of several categories with one name the one that has boxes is meant (Roboflow writes the project as a category 0
  /// without boxes, sometimes called like a class).
  /// - Parameters:
  ///   - classes: names; nil for all of the file's.
  ///   - findings: gets one for each name that several categories have.
  /// - Throws: `COCOError` if a class is not in the file, or several categories with boxes have its name.
  func chosenCategories(_ classes: [String]?, _ findings: inout [DatasetFinding]) throws -> [Category] {
    var places: [String: [Int]] = [:]
    for (place, category) in categories.enumerated() { places[category.name, default: []].append(place) }
    var seen: Set<String> = []
    let names = classes ?? categories.map(\.name).filter { seen.insert($0).inserted }
    var taken: Set<String> = []
    return try names.map { name in
      guard taken.insert(name).inserted else {
        throw COCOError(at: path, "the class '\(name)' stands twice in 'classes'")
      }
      guard let found = places[name] else {
        let known = categories.prefix(20).map { "'\($0.name)'" }.joined(separator: ", ")
        throw COCOError(at: path, "has no category '\(name)', which 'classes' asks for; it has \(known)")
      }
      return categories[found.count == 1 ? found[0] : try theOneMeant(of: found, &findings)]
    }
  }

  /// - Parameter places: of categories with one name.
  private func theOneMeant(of places: [Int], _ findings: inout [DatasetFinding]) throws -> Int {
    var boxes = [Int](repeating: 0, count: categories.count)
    for (category, flags) in zip(block.categoryOfAnnotation, block.flags) where flags & AnnotationBlock.withoutBox == 0
    {
      boxes[Int(category)] += 1
    }
    func list(_ values: [Int]) -> String {
      values.count == 2 ? "\(values[0]) and \(values[1])" : values.map(String.init).joined(separator: ", ")
    }
    let ids = places.map { Int(categories[$0].id) }
    let what = "the categories \(list(ids)) have the same name, '\(categories[places[0]].name)'"
    let withBoxes = places.filter { boxes[$0] > 0 }
    guard withBoxes.count <= 1 else {
      throw COCOError(
        at: path,
        "\(what), and several of them have boxes (\(list(places.map { boxes[$0] }))): "
          + "give them different names, or make them one category")
    }
    let meant = withBoxes.first ?? places[0]
    findings.append(
      DatasetFinding(
        .repeatedClassNames, count: places.count,
        "\(path): \(what): \(categories[meant].id), the \(withBoxes.isEmpty ? "first" : "one with boxes"), is meant"))
    return meant
  }

  /// - Parameter labels: of each category, nil for those that take no part, whose annotations need no box.
  /// - Throws: `COCOError`.
  func requireBoxes(labels: [Int?]) throws {
    var (count, first): (Int, Int?) = (0, nil)
    for annotation in annotations.indices
    where block.flags[annotation] & AnnotationBlock.withoutBox != 0
      && labels[Int(block.categoryOfAnnotation[annotation])] != nil
    {
      count += 1
      first = first ?? annotation
    }
    guard let first else { return }
    throw COCOError(
      at: path,
      "annotation \(annotationIdentifier(block.annotationIDs[first])): it has no 'bbox' (\(count) of "
        + "\(annotations.count) annotations have none and are of a class that takes part); leave out what only labels a picture"
    )
  }
}
