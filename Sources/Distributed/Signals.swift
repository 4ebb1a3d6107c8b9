internal import CMachine

/// Signals that came to a rank and were not yet served.
public struct ReceivedSignals: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// USR1: save a checkpoint and go on.
  public static let save = ReceivedSignals(rawValue: 1)
  /// USR2: save a checkpoint and stop.
  public static let saveAndStop = ReceivedSignals(rawValue: 2)
  /// TERM: the same in haste; mpirun kills a second later.
  public static let terminate = ReceivedSignals(rawValue: 4)

  static let each: [ReceivedSignals] = [.save, .saveAndStop, .terminate]

  /// Whether training is to end after the checkpoint.
  public var isStop: Bool { contains(.saveAndStop) || contains(.terminate) }
}

/// Signals only set flags; the ranks agree on them in `StepReport`, so that all save and stop in the same step.
public enum Signals {
  /// From now on USR1, USR2 and TERM set flags, and HUP is ignored.
  public static func catchAll() { machine_catch_signals() }

  public static var received: ReceivedSignals { ReceivedSignals(rawValue: Int(machine_received_signals())) }

  /// To be called once they are served, or agreed upon.
  public static func forget(_ signals: ReceivedSignals) { machine_forget_signals(Int32(signals.rawValue)) }
}
