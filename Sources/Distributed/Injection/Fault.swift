/// A fault that a run makes on purpose (`mpi.inject`), so that people can see what their cluster does with one.
public struct Fault: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// The rank kills itself, as a machine that loses power does.
    case kill
    /// The rank stops all of its threads (SIGSTOP).
    case stop
    /// The rank's main thread sleeps, for `duration` or for ever; its other threads go on.
    case stall
    /// The rank notes a collective that the others are not in.
    case swap
    /// A bit of a parameter turns over after the update.
    case flip
    /// A gradient is not a number, before the ranks exchange them.
    case nan
    /// The next `times` attempts to write a checkpoint find the disk full.
    case fullDisk = "full-disk"
    /// The rank sleeps for `duration` at the start of each step from this one on.
    case slow
    /// The rank's last messages of the step's gradients go out `duration` later.
    case delay
  }

  public let kind: Kind
  public let rank: Int
  /// 1-based, counted over the whole run.
  public let step: Int
  /// For `stall`, `slow` and `delay`; nil is for ever.
  public var duration: Duration?
  /// For `flip` and `nan`, the name of a parameter; nil is the first trainable one.
  public var parameter: String?
  /// For `flip`: the bit of the parameter's first float, 0 the lowest.
  public var bit = 20
  /// For `full-disk`.
  public var times = 1
  /// The fault as the user wrote it.
  public let text: String

  public init(_ kind: Kind, rank: Int, step: Int, text: String) {
    (self.kind, self.rank, self.step, self.text) = (kind, rank, step, text)
  }
}
