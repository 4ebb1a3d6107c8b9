import Tensors

/// `mpi.async_save`: whether checkpoints are written beside the training.
public enum AsyncSave: String, Sendable, CaseIterable {
  /// Where there is memory for a copy of the model.
  case auto
  case always = "true"
  case never = "false"
}

/// What `mpi.async_save` comes to on this machine.
package struct AsyncSaving {
  package let isBeside: Bool
  /// The same for people, behind "Checkpoints are written".
  package let words: String

  static let waitingWords = "while the training waits"

  /// - Parameter available: the bytes that this process could still have; nil where that isn't known.
  package init(_ choice: AsyncSave, of store: ParameterStore, available: Int? = Machine.availableMemory) {
    let copy = ParameterCopy.byteCount(of: store)
    // The file in memory, and room for it to grow, which it takes either way.
    let needed = 3 * copy
    func mebibytes(_ bytes: Int) -> Int { (bytes + 1 << 20 - 1) >> 20 }
    switch choice {
    case .never: (isBeside, words) = (false, "\(Self.waitingWords) (mpi.async_save is false)")
    case .auto where needed > available ?? .max:
      let found = mebibytes(available ?? 0)
      isBeside = false
      words = "\(Self.waitingWords): beside it a save wants \(mebibytes(needed)) MiB, and \(found) are available"
    case .auto, .always:
      (isBeside, words) = (true, "beside the training, from a copy of \(mebibytes(copy)) MiB on rank 0")
    }
  }
}
