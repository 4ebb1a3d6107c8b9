/// Weights of a PyTorch file as a checkpoint: those of mmdetection, of torchvision's Faster R-CNN, or a bare state dict.
public struct TorchCheckpoint {
  /// In mmdetection's names, without `module.` before them and without `num_batches_tracked`. The seed, the batch and the
  /// momenta of the training that made them are not taken over.
  public let checkpoint: Checkpoint
  /// What the user should know, each a sentence.
  public let notices: [String]

  /// - Parameter name: the file's, for errors: not a PyTorch file, cut off, damaged, objects that aren't tensors.
  public init(_ bytes: [UInt8], name: String) throws(CheckpointError) {
    do {
      let file = try TorchFile(bytes)
      let dictionary = try Self.stateDict(file.object)
      let tensors = try file.arrays(of: dictionary).compactMap(Self.renamed)
      let isOfTorchvision = TorchvisionNames.areIn(tensors)
      notices = isOfTorchvision ? TorchvisionNames.notices : []
      let model = isOfTorchvision ? try TorchvisionNames.translated(tensors) : tensors
      checkpoint = Self.checkpoint(model, meta: file.object.dictionary?["meta"]?.dictionary)
    } catch {
      throw CheckpointError(description: "\(name): error: \(Self.sentence(error))", exitCode: .badData)
    }
  }

  /// Under `state_dict` (mmdetection) or `model` (torchvision's scripts), or the object itself.
  private static func stateDict(_ object: PickleValue) throws -> PickleDictionary {
    let candidates = [object.dictionary?["state_dict"], object.dictionary?["model"], object]
    for case let dictionary? in candidates.map({ $0?.dictionary })
    where dictionary.entries.contains(where: { $0.value.tensor != nil }) {
      return dictionary
    }
    throw PickleReader.Failure("it holds no tensors, neither under 'state_dict' or 'model' nor directly")
  }

  private static func renamed(_ array: Checkpoint.Array) -> Checkpoint.Array? {
    var array = array
    if array.name.hasPrefix("module.") { array.name.removeFirst("module.".count) }
    return array.name.hasSuffix("num_batches_tracked") ? nil : array
  }

  private static func checkpoint(_ model: [Checkpoint.Array], meta: PickleDictionary?) -> Checkpoint {
    Checkpoint(
      created: Checkpoint.today(), producer: Version.producer, epoch: meta?["epoch"]?.int ?? 0,
      iteration: meta?["iter"]?.int ?? 0, worldSize: 1, globalBatch: 1, seed: 0, configuration: "",
      classes: meta?["CLASSES"]?.items?.compactMap(\.string) ?? [], categoryIDs: [], model: model)
  }

  private static func sentence(_ error: any Error) -> String {
    switch error {
    case let failure as PickleReader.Failure: failure.reason
    case let failure as ZipArchive.Failure: failure.reason
    case is ByteReader.EndOfData: "the PyTorch file was cut off or is damaged; fetch it again"
    default: "\(error)"
    }
  }
}

extension Checkpoint {
  /// Reads weights from a checkpoint of this program or from a PyTorch file, which of them its first bytes tell.
  public static func weights(reading path: String) throws(CheckpointError) -> (
    checkpoint: Checkpoint, notices: [String]
  ) {
    let bytes = try CheckpointFile.read(path)
    guard TorchFile.isTorchFile(bytes) else { return (try Checkpoint(image: bytes, name: path), []) }
    let torch = try TorchCheckpoint(bytes, name: path)
    return (torch.checkpoint, torch.notices)
  }
}
