import ArgumentParser
import Training

extension CompletionKind {
  /// Files that may be configurations, and the names of those that come with the program.
  static var configuration: CompletionKind {
    .custom { _, _, start in ShippedConfigurations.completions(of: start) }
  }

  /// Checkpoints, weights, and folders of them.
  static var weights: CompletionKind { .file(extensions: ["h5", "pth", "safetensors"]) }
}
