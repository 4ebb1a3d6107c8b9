/// A program's manual page, in the macros of man(7).
struct ManualPage {
  let program: DumpedHelp.Command
  let version: String

  var text: String {
    let name = program.commandName
    var lines = [".TH \(Self.quoted(name.uppercased())) 1 \"\" \(Self.quoted("\(name) \(version)")) \"User commands\""]
    lines += [".SH NAME", "\(Self.escaped(name)) \\- \(Self.escaped(Self.withoutStop(program.abstract ?? "")))"]
    lines.insert(contentsOf: [".nh", ".ad l"], at: 1)
    lines += [".SH SYNOPSIS", "\\fB\(Self.escaped(name))\\fR \\fIcommand\\fR [\\fIarguments\\fR]"]
    lines += [".SH DESCRIPTION"] + paragraphs(program.discussion ?? program.abstract ?? "")
    lines += items(program.shownArguments)
    lines.append(".SH COMMANDS")
    for command in program.shownSubcommands { lines += section(of: command) }
    lines += [".SH \"EXIT STATUS\""] + Self.exitCodes.flatMap { [".TP", ".B \($0.code)", Self.escaped($0.meaning)] }
    lines += [".SH \"SEE ALSO\"", ".BR mpirun (1)"]
    return lines.joined(separator: "\n") + "\n"
  }

  private func section(of command: DumpedHelp.Command) -> [String] {
    let name = "\(program.commandName) \(command.commandName)"
    var lines = [".SS \(Self.quoted(name))"]
    let words = command.shownArguments.filter { $0.kind == .positional }.map(Self.synopsis)
    lines.append((["\\fB\(Self.escaped(name))\\fR"] + words + ["[\\fIoptions\\fR]"]).joined(separator: " "))
    lines += [".PP"] + paragraphs(command.abstract ?? "")
    if let discussion = command.discussion { lines += [".PP"] + paragraphs(discussion) }
    return lines + items(command.shownArguments)
  }

  /// A positional argument in a command's first line.
  private static func synopsis(_ argument: DumpedHelp.Argument) -> String {
    let name = "\\fI\(escaped(argument.valueName ?? ""))\\fR" + (argument.isRepeating ? " ..." : "")
    return argument.isOptional ? "[\(name)]" : name
  }

  private func items(_ arguments: [DumpedHelp.Argument]) -> [String] {
    arguments.flatMap { argument in
      let value = "\\fI\(Self.escaped(argument.valueName ?? ""))\\fR"
      let names = (argument.names ?? []).map { "\\fB\(Self.escaped($0.text))\\fR" }.joined(separator: ", ")
      let label =
        switch argument.kind {
        case .positional: value
        case .flag: names
        case .option: "\(names) \(value)" + (argument.isRepeating ? " ..." : "")
        }
      var notes: [String] = []
      if let values = argument.allValues { notes.append("values: \(values.joined(separator: ", "))") }
      if argument.kind != .flag, let value = argument.defaultValue, !value.isEmpty { notes.append("default: \(value)") }
      let note = notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
      let texts = paragraphs((argument.abstract ?? "") + note)
      let more = argument.discussion.map { [".IP"] + paragraphs($0) } ?? []
      return [".TP", label] + (texts.isEmpty ? ["\\&"] : texts) + more
    }
  }

  /// Paragraphs are separated by empty lines; lines that are indented stay as they are.
  private func paragraphs(_ text: String) -> [String] {
    var lines: [String] = []
    var isVerbatim = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("  ") != isVerbatim {
        isVerbatim.toggle()
        lines += isVerbatim ? [".RS 4", ".nf"] : [".fi", ".RE"]
      }
      let words = line.drop { $0 == " " }
      if !words.isEmpty { lines.append(Self.escaped(String(words))) } else if !isVerbatim { lines.append(".PP") }
    }
    return lines + (isVerbatim ? [".fi", ".RE"] : [])
  }

  private static func withoutStop(_ text: String) -> String { text.hasSuffix(".") ? String(text.dropLast()) : text }

  /// An argument of a macro.
  private static func quoted(_ text: String) -> String { "\"\(escaped(text).replacing("\"", with: "\\(dq"))\"" }

  /// Text in which nothing is a command, and in which what is typed stays what it is.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\(rs"
      case "-": escaped += "\\-"
      case "'": escaped += "\\(aq"
      case "`": escaped += "\\(ga"
      case "^": escaped += "\\(ha"
      case "~": escaped += "\\(ti"
      case "." where escaped.isEmpty: escaped += "\\&."
      case _ where !scalar.isASCII:
        let digits = String(scalar.value, radix: 16, uppercase: true)
        escaped += "\\[u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)]"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  private static let exitCodes: [(code: Int, meaning: String)] = [
    (0, "Done."), (64, "The command line, or the launcher."), (65, "The contents of a file."),
    (66, "A file that is not there."), (70, "A mistake of the program's."),
    (74, "A disk, a network, memory, or a work directory in use."),
    (75, "Stopped by a signal after saving: run again with '--resume auto'."),
    (76, "Ended by the watchdog: no rank got further. Run again with '--resume auto'."), (78, "The configuration."),
  ]
}
