/// How the classes of a file stand to those of a run: by their names.
enum ClassMatch: Equatable {
  /// The same names in the same order.
  case same
  /// The file names none (a PyTorch file without `meta.CLASSES`): its order is taken for the run's.
  case unnamed
  /// The same names in another order: for each class of the run, its place in the file.
  case reordered([Int])
  /// Other names, or another number of them.
  case different

  init(file: [String], run: [String]) {
    guard !file.isEmpty else {
      self = .unnamed
      return
    }
    let places = Dictionary(zip(file, file.indices), uniquingKeysWith: { first, _ in first })
    let order = run.compactMap { places[$0] }
    if file == run {
      self = .same
    } else if Set(order).count == file.count, order.count == run.count, run.count == file.count {
      self = .reordered(order)
    } else {
      self = .different
    }
  }
}
