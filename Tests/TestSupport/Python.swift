import Foundation

/// Python, which tests ask what its libraries say; those that need one are skipped, and say so, where it is missing.
public enum Python {
  /// Whether all of these can be imported.
  public static func has(_ modules: String...) -> Bool {
    (try? run("import \(modules.joined(separator: ", "))", complainsTo: .nullDevice)) != nil
  }

  /// - Parameters:
  ///   - text: the program.
  ///   - arguments: its `sys.argv[1:]`.
  ///   - folder: where it runs; nil: here.
  ///   - errors: where its complaints go; else they stand in the output of the tests.
  /// - Returns: what it printed.
  /// - Throws: `PythonFailed` with what it printed.
  @discardableResult
  public static func run(
    _ text: String, _ arguments: [String] = [], in folder: String? = nil,
    complainsTo errors: FileHandle = .standardError
  ) throws -> String {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", text] + arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    (process.standardOutput, process.standardError) = (pipe, errors)
    try process.run()
    let printed = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw PythonFailed(description: printed) }
    return printed
  }
}

public struct PythonFailed: Error, CustomStringConvertible { public let description: String }
