import Foundation

/// The version of the program.
public enum Version {
  public static let text = "0.1.0"
  /// What checkpoints name as their producer.
  static let producer = "rcnn-train \(text)"
}

/// The launcher of this process, as the environment tells it.
public enum Launcher {
  /// This process's rank where a launcher gave it one.
  public static var rank: Int? {
    let environment = ProcessInfo.processInfo.environment
    return (environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMIX_RANK"]).flatMap { Int($0) }
  }
}
