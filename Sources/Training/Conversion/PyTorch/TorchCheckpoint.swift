/// Weights of a PyTorch file as a checkpoint: those of mmdetection 2 and 3, of torchvision's Faster R-CNN, or a bare state
/// dict.
public struct TorchCheckpoint {
  /// In mmdetection's names, without `module.` before them. The seed, the batch and the momenta of the training that made
  /// them are not taken over.
  public let checkpoint: Checkpoint
  /// What the user should know, each a sentence.
  public let notices: [String]

  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: the file's, for errors: not a PyTorch file, cut off, damaged, objects that aren't tensors.
  public init(_ bytes: [UInt8], name: String) throws(CheckpointError) {
    do {
      let file = try TorchFile(bytes)
      let names = try ModelNames(file.weights(of: Self.stateDict(file.object)))
      checkpoint = Self.checkpoint(names, meta: file.object.dictionary?["meta"]?.dictionary)
      notices = names.notices
    } catch {
      throw .unreadable(name, error)
    }
  }

  /// Under `state_dict` (mmdetection) or `model` (torchvision's scripts), or the object itself.
  private static func stateDict(_ object: PickleValue) throws -> PickleDictionary {
    let candidates = [object.dictionary?["state_dict"], object.dictionary?["model"], object]
    for case let dictionary? in candidates.map({ $0?.dictionary })
    where dictionary.entries.contains(where: { $0.value.tensor != nil }) {
      return dictionary
    }
    if let name = candidates.lazy.compactMap({ $0?.objectName }).first {
      throw PickleReader.Failure(
        """
        it holds an object ('\(name)') where the weights should be, and nothing in a file is run here; in the program \
        that made it save its state_dict(): torch.save(model.state_dict(), 'weights.pth')
        """)
    }
    throw PickleReader.Failure("it holds no tensors, neither under 'state_dict' or 'model' nor directly")
  }

  private static func checkpoint(_ names: ModelNames, meta: PickleDictionary?) -> Checkpoint {
    // mmdetection 3 keeps them with the palette, under one of two names.
    let dataset = meta?["dataset_meta"]?.dictionary
    let classes = [meta?["CLASSES"], dataset?["classes"], dataset?["CLASSES"]].lazy.compactMap { $0?.items }.first
    return Checkpoint(
      names, epoch: meta?["epoch"]?.int ?? 0, iteration: meta?["iter"]?.int ?? 0,
      classes: classes?.compactMap(\.string) ?? [], categoryIDs: meta?["category_ids"]?.integers ?? [])
  }
}

extension Checkpoint {
  /// Weights of another program, with what it said of the training that made them.
  init(_ names: ModelNames, epoch: Int = 0, iteration: Int = 0, classes: [String] = [], categoryIDs: [Int] = []) {
    let isSaid = !classes.isEmpty
    self.init(
      created: Checkpoint.today(), producer: Version.producer, epoch: epoch, iteration: iteration, worldSize: 1,
      globalBatch: 1, seed: 0, configuration: "", classes: isSaid ? classes : names.categories.map(\.name),
      categoryIDs: isSaid ? categoryIDs : names.categories.map(\.id), model: names.arrays)
    batchCounts = names.batchCounts
  }
}

extension CheckpointError {
  /// What is wrong with a file of weights.
  static func unreadable(_ name: String, _ error: any Error) -> CheckpointError {
    let sentence =
      switch error {
      case let failure as PickleReader.Failure: failure.reason
      case let failure as ZipArchive.Failure: failure.reason
      case let failure as SafetensorsFile.Failure: failure.reason
      case is ByteReader.EndOfData: "the PyTorch file was cut off or is damaged; fetch it again"
      default: "\(error)"
      }
    return CheckpointError(description: "\(name): error: \(sentence)", exitCode: .badData)
  }
}
