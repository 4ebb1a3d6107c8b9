extension MMDetection3 {
  /// `train_dataloader` and its like: `data`.
  /// - Parameter preprocessor: the steps of `model.data_preprocessor`.
  static func readData(_ top: inout NewerPart, _ preprocessor: [ConfigurationNode]) throws {
    var data = try NewerPart(top.node.emptied, path: "data", notices: top.notices)
    for (key, older) in [("train_dataloader", "train"), ("val_dataloader", "val"), ("test_dataloader", "test")] {
      guard var loader = try top.takePart(key) else { continue }
      let isForTraining = older == "train"
      let (batch, workers) = (loader.take("batch_size"), loader.take("num_workers"))
      if isForTraining {
        data.set("samples_per_gpu", to: batch)
        data.set("workers_per_gpu", to: workers)
      }
      loader.drop(
        "persistent_workers", "pin_memory", "prefetch_factor", "drop_last", "collate_fn", "pin_memory_device", "timeout"
      )
      try readSamplers(&loader, isForTraining: isForTraining, &top)
      guard let dataset = try loader.takePart("dataset") else {
        throw ConfigurationError(loader.node.place, "'\(key)' lacks 'dataset' (a mapping)")
      }
      try loader.close()
      data.set(older, to: try readDataset(dataset, isForTraining: isForTraining, preprocessor))
    }
    top.set("data", to: data.node)
  }

  private static func readSamplers(
    _ loader: inout NewerPart, isForTraining: Bool, _ top: inout NewerPart
  ) throws {
    if var sampler = try loader.takePart("sampler") {
      try sampler.require("type", "DefaultSampler", "InfiniteSampler")
      let shuffle = sampler.take("shuffle")
      if isForTraining, let shuffle, Bool(configuration: shuffle) == false {
        var mpi = try top.takePart("mpi") ?? NewerPart(sampler.node.emptied, path: "mpi", notices: top.notices)
        mpi.set("shuffle", to: shuffle)
        top.set("mpi", to: mpi.node)
      }
      sampler.drop("round_up", "seed")
      try sampler.close()
    }
    if var batches = try loader.takePart("batch_sampler") {
      try batches.require("type", "AspectRatioBatchSampler")
      batches.drop("drop_last", because: "the last batch is filled up, as mmdetection 2 does")
      try batches.close()
    } else if isForTraining {
      loader.notice(
        loader.node.place, "batch_sampler",
        "is absent: pictures of a batch have the same orientation all the same, as in 2.11")
    }
  }

  private static func readDataset(
    _ dataset: NewerPart, isForTraining: Bool, _ preprocessor: [ConfigurationNode]
  ) throws -> ConfigurationNode {
    var dataset = dataset
    if let inner = try dataset.takePart("dataset") {
      dataset.set("dataset", to: try readDataset(inner, isForTraining: isForTraining, preprocessor))
      return dataset.node
    }
    if var prefix = try dataset.takePart("data_prefix") {
      dataset.set("img_prefix", to: prefix.take("img") ?? prefix.take("img_path"))
      prefix.drop("seg", "img", "img_path", because: "there is no segmentation")
      try prefix.close()
    }
    if var information = try dataset.takePart("metainfo") {
      dataset.set("classes", to: information.take("classes") ?? information.take("CLASSES"))
      information.drop("palette", "PALETTE", because: "each class has a colour of its own")
      try information.close()
    }
    dataset.drop("backend_args", "file_client_args", "serialize_data", "lazy_init", "max_refetch")
    try dataset.refuse("indices")
    try readFilter(&dataset, isForTraining: isForTraining)
    if let pipeline = dataset.take("pipeline") {
      guard case .sequence(let steps) = pipeline.content else {
        throw ConfigurationError(pipeline.place, "'pipeline' is \(pipeline.summary), expected a list of steps")
      }
      let read = try steps.map { try readStep($0, isForTraining: isForTraining, dataset.notices) }
      var list = pipeline
      list.content = .sequence(
        isForTraining ? trainPipeline(read, preprocessor) : try testPipeline(read, preprocessor, at: pipeline))
      dataset.set("pipeline", to: list)
    }
    return dataset.node
  }

  /// Without `filter_cfg` no picture is left out for having no box.
  private static func readFilter(_ dataset: inout NewerPart, isForTraining: Bool) throws {
    let place = dataset.node.place
    var filter = try dataset.takePart("filter_cfg")
    guard isForTraining else { return }
    let empty = filter?.take("filter_empty_gt")
    dataset.set("filter_empty_gt", to: "false")
    dataset.set("filter_empty_gt", to: empty)
    let smallest = filter?.take("min_size")
    if smallest.flatMap(Int.init(configuration:)) != 32 {
      dataset.notice(
        smallest?.place ?? place, "filter_cfg.min_size", "is 32, as in 2.11: smaller pictures are left out")
    }
    try filter?.close()
  }
}
