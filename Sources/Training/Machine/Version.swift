/// The version of the program.
public enum Version {
  public static let text = "0.1.0"
  /// What checkpoints name as their producer.
  static let producer = "rcnn-train \(text)"
}
