#if CommandLineTools
  import ArgumentParser
  import LMDBShareOperations

  #if canImport(FoundationEssentials)
    import FoundationEssentials
  #else
    import Foundation
  #endif

  /// Prints the man page, which is made from the output of --help; `Sources/LMDBShareTool/lmdbshare.1` is its output.
  struct Manual: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints this manual page.",
      discussion: "Example:\n  lmdbshare manual > ~/.local/share/man/man1/lmdbshare.1")

    func run() throws {
      let tool = try JSONDecoder().decode(Tool.self, from: Data(Inspect._dumpHelp().utf8))
      var output = Output()
      try output.line(Roff.page(tool.command), ends: false)
      try output.flush()
    }

    struct Tool: Decodable { let command: Command }

    struct Command: Decodable {
      let commandName: String
      let abstract: String?
      let discussion: String?
      let arguments: [Argument]?
      let subcommands: [Command]?
      let shouldDisplay: Bool?
    }

    struct Argument: Decodable {
      struct Name: Decodable { let kind: String, name: String }
      let kind: String
      let names: [Name]?
      let valueName: String?
      let abstract: String?
      let isOptional: Bool
      let isRepeating: Bool
      let shouldDisplay: Bool?
    }
  }

  /// The macros of man(7).
  private enum Roff {
    static func page(_ root: Manual.Command) -> String {
      var lines = [
        ".TH LMDBSHARE 1 \"\" \"lmdbshare \(Inspect.configuration.version)\" \"User Commands\"", ".SH NAME",
        "lmdbshare \\- \(text(root.abstract ?? ""))", ".SH SYNOPSIS", ".B lmdbshare", ".I command",
        "[\\fIargument\\fR ...]",
        ".SH DESCRIPTION",
      ]
      lines += paragraphs(root.discussion)
      lines.append(".SH COMMANDS")
      for command in root.subcommands ?? [] where command.shouldDisplay ?? true && command.commandName != "help" {
        lines += section(command)
      }
      lines += [
        ".SH ENVIRONMENT", ".TP", ".B LMDBSHARE_STORE", "The store's directory, if none is given.", ".TP",
        ".B NO_COLOR",
        "If set and not empty, there are no colours.", ".SH EXIT STATUS", ".TP", ".B 0", "Done.", ".TP", ".B 1",
        "Failed.",
        ".TP", ".B 2", "Damage, findings or differences.", ".TP", ".B 3", "Not found.", ".TP", ".B 4",
        "Busy or timed out.", ".TP", ".B 64", "Wrong usage.", ".SH SEE ALSO", ".BR mdb_stat (1),", ".BR mdb_dump (1)",
      ]
      return lines.joined(separator: "\n") + "\n"
    }

    private static func section(_ command: Manual.Command) -> [String] {
      let arguments = (command.arguments ?? []).filter { ($0.shouldDisplay ?? true) && !isHelp($0) }
      let synopsis = arguments.map { argument in
        let inner = argument.kind == "positional" ? "\\fI\(text(argument.valueName ?? ""))\\fR" : option(argument)
        let repeated = inner + (argument.isRepeating ? " ..." : "")
        return argument.isOptional ? "[\(repeated)]" : repeated
      }
      var lines = [".SS \(command.commandName)", ([".B", command.commandName].joined(separator: " "))]
      lines.append(synopsis.joined(separator: " "))
      lines += [".PP", text(command.abstract ?? "")]
      lines += paragraphs(command.discussion)
      for argument in arguments {
        let title = argument.kind == "positional" ? "\\fI\(text(argument.valueName ?? ""))\\fR" : option(argument)
        lines += [".TP", title, text(argument.abstract ?? "")]
      }
      return lines
    }

    private static func isHelp(_ argument: Manual.Argument) -> Bool {
      argument.names?.contains { $0.name == "help" || $0.name == "version" } ?? false
    }

    private static func option(_ argument: Manual.Argument) -> String {
      let names = (argument.names ?? []).map { "\\fB\(($0.kind == "short" ? "\\-" : "\\-\\-") + text($0.name))\\fR" }
      let value = argument.kind == "option" ? " \\fI\(text(argument.valueName ?? ""))\\fR" : ""
      return names.joined(separator: ", ") + value
    }

    /// Paragraphs; indented lines are examples, and stay unchanged.
    private static func paragraphs(_ discussion: String?) -> [String] {
      var lines: [String] = []
      var isExample = false
      for line in (discussion ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("  ") {
          if !isExample { lines += [".RS", ".nf"] }
          isExample = true
          lines.append(text(String(line.dropFirst(2))))
          continue
        }
        if isExample { lines += [".fi", ".RE"] }
        isExample = false
        if line.isEmpty || lines.isEmpty { lines.append(".PP") }
        if !line.isEmpty { lines.append(text(String(line))) }
      }
      if isExample { lines += [".fi", ".RE"] }
      return lines
    }

    /// Text with roff's special characters escaped.
    private static func text(_ text: String) -> String {
      var result = ""
      for character in text {
        switch character {
        case "\\": result += "\\e"
        case "-": result += "\\-"
        case "'": result += "\\(aq"
        default: result.append(character)
        }
      }
      return result.hasPrefix(".") ? "\\&" + result : result
    }
  }
#endif
