/// A tensor as the files of other programs keep it: floats, or batch norm's one whole number.
struct StoredTensor {
  enum Values {
    case floats([Float])
    case doubles([Double])
    /// Of no dimensions.
    case integer(Int64)
  }

  var name: String
  let shape: [Int]
  let values: Values

  /// Little-endian.
  var bytes: [UInt8] {
    switch values {
    case .floats(let numbers): numbers.withUnsafeBytes { Array($0) }
    case .doubles(let numbers): numbers.withUnsafeBytes { Array($0) }
    case .integer(let number): withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
  }

  /// safetensors' name of the format.
  var dtype: String {
    switch values {
    case .floats: "F32"
    case .doubles: "F64"
    case .integer: "I64"
    }
  }

  /// Whether a number takes 8 bytes.
  var isWide: Bool { if case .floats = values { false } else { true } }
}

/// Whose names the tensors of a written file have.
public enum NameStyle: String, CaseIterable, Sendable {
  case mmdetection, torchvision
}

extension Checkpoint {
  /// The model's tensors, each batch norm with its `num_batches_tracked`, which PyTorch's has and none here counts.
  /// - Throws: `PickleReader.Failure` for parts that torchvision has not.
  func tensors(_ style: NameStyle) throws -> [StoredTensor] {
    let isDetector = model.contains { $0.name.hasPrefix("backbone.") }
    let isTranslated = style == .torchvision && isDetector
    return try model.flatMap { array in
      let array = isTranslated ? TorchvisionClasses.withBackgroundFirst(array) : array
      var tensors = [StoredTensor(name: array.name, shape: array.shape, values: .floats(array.values))]
      if array.name.hasSuffix(".running_var") {
        let name = String(array.name.dropLast("running_var".count)) + WeightArrays.countName
        tensors.append(StoredTensor(name: name, shape: [], values: .integer(Int64(batchCounts[name] ?? 0))))
      }
      return try tensors.map { tensor in
        var tensor = tensor
        if isTranslated { tensor.name = try TorchvisionNames.untranslated(tensor.name) }
        return tensor
      }
    }
  }

  /// What writing these names loses or changes, each a sentence.
  func notices(writing style: NameStyle) -> [String] {
    var notices: [String] = []
    if !states.isEmpty {
      let kept = states.keys.contains(.momentum) ? "momenta" : "moments"
      notices.append(
        "the \(kept) of the optimizer and the position in the training stay behind: weights alone are written")
    }
    if holdsAverages {
      notices.append(
        "the weights are running means, and those that were being trained are the arrays ema_…, as in mmcv")
    }
    let scores = model.first { $0.name == "roi_head.bbox_head.fc_cls.bias" }
    if style == .torchvision, let outputs = scores?.shape.first {
      notices.append(
        "for torchvision's num_classes=\(outputs): output 0 is the background, then the classes in their order")
    }
    return notices
  }
}
