import Foundation

/// Turns what `PROGRAM --experimental-dump-help` prints into the program's manual page: `manual-page VERSION`.
@main
enum Main {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard let version = arguments.first, arguments.count == 1 else {
      end("usage: PROGRAM --experimental-dump-help | manual-page VERSION", 64)
    }
    do {
      let help = try JSONDecoder().decode(DumpedHelp.self, from: FileHandle.standardInput.readDataToEndOfFile())
      print(ManualPage(program: help.command, version: version).text, terminator: "")
    } catch {
      end("manual-page: error: the standard input is not what --experimental-dump-help prints: \(error)", 65)
    }
  }

  private static func end(_ sentence: String, _ code: Int32) -> Never {
    FileHandle.standardError.write(Data("\(sentence)\n".utf8))
    exit(code)
  }
}
