import Foundation

/// Times in the names of files, as mmdetection's logs have them.
public enum FileStamp {
  /// `20260131_235959`, of the local time.
  public static func text(_ date: Date) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "yyyyMMdd_HHmmss"
    return format.string(from: date)
  }
}
