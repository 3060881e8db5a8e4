import Testing

@testable import martlet

@Suite("Help") struct HelpTextTests {
  @Test("Flags do not say twice that they may be repeated")
  func repeatedOnce() {
    for command in [ServeCommand.description, EchoCommand.description] {
      #expect(!HelpText.page(for: command).contains("may be repeated; may"))
      #expect(command.flags.allSatisfy { !$0.help.contains("may be repeated") })
    }
  }

  @Test("The page is made from the description")
  func page() {
    let command = CommandDescription(
      name: "echo", summary: "Send back what comes in",
      flags: [
        Flag("port", .integer("PORT", in: 0...65_535), default: "9001", help: "port to listen on"),
        Flag(
          "header", .text("'K: V'"), environment: "MARTLET_HEADER", repeatable: true, help: "a field"),
        Switch("quiet", help: "print nothing"),
      ],
      examples: [.init(purpose: "Try it.", line: "martlet echo --port 0")])
    let expected = """
      Usage: martlet echo [flags]

      Send back what comes in.

      Flags:
        --port PORT             port to listen on (default: 9001)
        --header 'K: V'         a field; may be repeated (environment: MARTLET_HEADER)
        --quiet                 print nothing
        --help                  show this text

      Examples:
        # Try it.
        martlet echo --port 0

      Exit status:
        0  done
        1  failed; the reason is on standard error
        2  the command line, a setting or a file cannot be used as given

      """
    #expect(HelpText.page(for: command) == expected)
  }

  @Test("Lines break at blanks and keep their indent")
  func wrapping() {
    let text = Array(repeating: "word", count: 40).joined(separator: " ")
    let lines = HelpText.wrapped(text, indent: "    ", first: "  x ")
    #expect(lines.allSatisfy { $0.count <= HelpText.width })
    #expect(lines.first?.hasPrefix("  x word") == true)
    #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("    word") })
    #expect(lines.map { $0.split(separator: " ").filter { $0 == "word" }.count }.reduce(0, +) == 40)
  }

  @Test("Every command has help that fits the terminal, and examples that its own parser accepts")
  func everyCommand() throws {
    for command in Program.commands.map({ $0.description }) {
      let page = HelpText.page(for: command)
      #expect(page.hasPrefix("Usage: martlet \(command.name)"))
      for line in page.split(separator: "\n") { #expect(line.count <= 100, "\(command.name): \(line)") }
      for example in command.examples {
        let words = words(of: example.line)
        #expect(words.first == "martlet")
        #expect(words.dropFirst().first == command.name)
        #expect(throws: Never.self, "\(example.line)") { try Arguments(words.dropFirst(2), for: command) }
      }
    }
  }

  /// As a shell splits a line, for quotes, pipes and redirections.
  private func words(of line: String) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    for character in line + " " {
      if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "'" || character == "\"" {
        quote = character
      } else if character == " " {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.append(character)
      }
    }
    let end = words.firstIndex { ["|", ">", "&", "#"].contains($0) } ?? words.endIndex
    // Behind a pipe stands our program: `echo … | martlet …`.
    if words.first != "martlet", let start = words.firstIndex(of: "martlet") { return Array(words[start...]) }
    return Array(words[..<end])
  }
}
