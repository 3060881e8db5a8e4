import Testing

/// Each Swift example of the README and of docs/*.md stands in a file of a folder `Pages` of the tests, where it is
/// compiled and, where that can be, run.
///
/// White space and comments do not count. An example may be taken apart where it has an empty line. What a test must
/// choose for itself is written there as `\(port)`, `port: port`, `\(folder)/` before a file's name, and `\(run)` for
/// `/run`.
@Suite struct PageExamplesTests {
  static let root = String(
    #filePath.dropLast("Tests/WebSocketsTests/Pages/PageExamplesTests.swift".count))

  private static let pages =
    ["README.md"] + files(in: "docs").filter { $0.hasSuffix(".md") }

  /// What is compiled, each file without white space and comments.
  private static let compiled = files(in: "Tests").filter { $0.hasSuffix("Tests") }
    .flatMap { files(in: "\($0)/Pages") }.map { essence(text(of: $0)) }

  @Test(arguments: pages) func examplesAreCompiled(_ page: String) {
    for example in Self.examples(of: Self.text(of: page)) {
      let pieces = example.split(separator: /\n[ \t]*\n/).map { Self.essence(String($0)) }
        .filter { !$0.isEmpty && $0 != "importWebSockets" }
      let isCompiled = Self.compiled.contains { code in pieces.allSatisfy(code.contains) }
      #expect(isCompiled, "\(page): no file of Tests/*/Pages has this example, word for word:\n\(example)")
    }
  }

  @Test func examplesAreFound() {
    let page = "a\n```swift\nlet a = 1\n```\n\n```sh\nls\n```\n```swift\nb\n```"
    #expect(Self.examples(of: page) == ["let a = 1", "b"])
    let code = "  let  a = \"ws://127.0.0.1:\\(port)/\"  // why\n"
    #expect(Self.essence(code) == "leta=\"ws://127.0.0.1:PORT/\"")
    #expect(Self.essence("f(\"ws://127.0.0.1:9001/\", port: 80)") == "f(\"ws://127.0.0.1:PORT/\",port:PORT)")
    #expect(Self.pages.count > 10 && Self.compiled.count > 5)
  }

  private static func examples(of page: String) -> [String] {
    page.matches(of: /(?m)^```swift\n((?:.|\n)*?)\n```$/).map { String($0.output.1) }
  }

  private static func essence(_ code: String) -> String {
    String(code.replacing(/(?m)(^|[ \t])\/\/.*$/, with: "").filter { !$0.isWhitespace })
      .replacing(/(127\.0\.0\.1|localhost):(\d+|\\\(port\))/) { "\($0.output.1):PORT" }
      .replacing(/port:(\d+|port)/, with: "port:PORT")
      .replacing("\\(folder)/", with: "").replacing("\\(run)/", with: "/run/")
  }
}
