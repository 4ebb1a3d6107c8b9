internal import CMachine
import Primitives

/// Signals that came to a rank and were not yet served.
public struct ReceivedSignals: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// USR1: save a checkpoint and go on.
  public static let save = ReceivedSignals(rawValue: machine_signal_usr1)
  /// USR2, which launchers hand on: save a checkpoint and stop.
  public static let saveAndStop = ReceivedSignals(rawValue: machine_signal_usr2)
  /// TERM: the same in haste; mpirun kills a second later.
  public static let terminate = ReceivedSignals(rawValue: machine_signal_term)
  /// INT, of Ctrl-C where there is no launcher: the same; the second one ends the process.
  public static let interrupt = ReceivedSignals(rawValue: machine_signal_int)

  static let each: [ReceivedSignals] = [.save, .saveAndStop, .terminate, .interrupt]
  static let all = ReceivedSignals(each)

  /// Whether training is to end after the checkpoint.
  public var isStop: Bool { !isDisjoint(with: [.saveAndStop, .terminate, .interrupt]) }
}

/// Signals only set flags; the ranks agree on them in `StepReport`, so that all save and stop in the same step.
public enum Signals {
  /// What signals do to a process.
  public enum Use: Sendable {
    /// What they do to any: for measurements.
    case system
    /// USR2, TERM and INT end it, after a sentence of rank 0's; USR1 is said and changes nothing.
    case ending
    /// A command that ends by itself between two of its steps: USR2, TERM and INT set flags, a second INT ends it.
    case finishing
    /// A training that has nothing to save yet: TERM and INT end it, USR1 and USR2 set flags.
    case starting
    /// A training: all set flags, and HUP does no more than that.
    case training
  }

  public static func use(_ use: Use) {
    let requests = machine_signal_usr1 | machine_signal_usr2
    let noted: Int
    switch use {
    case .system: return
    case .ending: noted = 0
    case .finishing: noted = machine_signal_usr2 | machine_signal_term | machine_signal_int
    case .starting: noted = requests
    case .training: noted = requests | machine_signal_term | machine_signal_int | machine_signal_hup
    }
    machine_catch_signals(Int32(noted), (Launcher.rank ?? 0) == 0 ? 1 : 0)
  }

  /// From now on they end nothing by themselves: an error is about to.
  static func leaveEndingToTheError() {
    machine_catch_signals(Int32(ReceivedSignals.all.rawValue) | Int32(machine_signal_hup), 0)
  }

  public static var received: ReceivedSignals {
    ReceivedSignals(rawValue: Int(machine_received_signals())).intersection(.all)
  }

  /// To be called once they are served, or agreed upon.
  public static func forget(_ signals: ReceivedSignals) { machine_forget_signals(Int32(signals.rawValue)) }

  /// Ends the process by the signal to stop that came, with a sentence, as `ending` does; returns where none came.
  public static func endByReceived() { machine_end_by_noted_signal() }

  /// Whether the terminal, or the connection to it, has gone since this was last asked.
  public static func takeHangUp() -> Bool {
    defer { machine_forget_signals(Int32(machine_signal_hup)) }
    return Int(machine_received_signals()) & machine_signal_hup != 0
  }
}
