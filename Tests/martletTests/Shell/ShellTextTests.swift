import Testing
import WebSocketCore
import WebSockets

@testable import martlet

@Suite("What the shell reads and shows") struct ShellTextTests {
  private let plain = Style(hasColours: false)

  @Test(
    "Lines and commands",
    arguments: [
      ("hello", .send("hello")), ("", .send("")), (" /ping", .send(" /ping")), ("//ping", .send("/ping")),
      ("/ping", .ping), ("/info", .info), ("/help", .help), ("/quit", .quit), ("/exit", .quit),
      ("/close", .close(.normal, reason: "")),
      ("/close 4000 all  done ", .close(CloseCode(rawValue: 4_000), reason: "all  done")),
      ("/binary 00 ff 1A2b", .sendBytes([0, 255, 26, 43])), ("/binary 0x01,0x02:03", .sendBytes([1, 2, 3])),
      ("/file a b.json", .sendFile("a b.json")),
    ] as [(String, ShellInput)])
  func reads(_ line: String, _ input: ShellInput) { #expect(ShellInput(line) == input) }

  @Test(
    "What cannot be used is told",
    arguments: [
      ("/pin", "did you mean /ping?"), ("/xyzzy", "/help lists them"), ("/", "no command /"),
      ("/binary", "needs bytes"),
      ("/binary 0", "pairs"), ("/binary xx", "pairs"), ("/binary 00 é", "pairs"), ("/binary +1", "pairs"),
      ("/file", "needs a path"),
      ("/close 1005", "code that may be sent"), ("/close x", "code"), ("/close 99999", "code"),
      ("/close 1000 " + String(repeating: "a", count: 124), "123 bytes"),
    ])
  func complains(_ line: String, _ part: String) {
    guard case .wrong(let complaint) = ShellInput(line) else {
      Issue.record("taken")
      return
    }
    #expect(complaint.contains(part))
  }

  @Test(
    "JSON is laid out, its text unchanged",
    arguments: [
      (#"{}"#, "{}"), (#" [ ] "#, "[]"), (#"{"a":1}"#, #"{"a": 1}"#), (#"[1,2,[3]]"#, "[1, 2, [3]]"),
      (#"{"a":1.0,"a":1e400,"b":"\u00e9\n"}"#, #"{"a": 1.0, "a": 1e400, "b": "\u00e9\n"}"#),
      (#"{"a":"x:y,{z}\""}"#, #"{"a": "x:y,{z}\""}"#),
    ])
  func layout(_ text: String, _ expected: String) { #expect(JSONLayout.of(text, style: plain) == expected) }

  @Test("What is long gets lines") func longLayout() {
    let long = String(repeating: "x", count: 50)
    #expect(
      JSONLayout.of(#"{"a":"\#(long)","b":{"c":"\#(long)","d":[],"e":[true,null]}}"#, style: plain)
        == "{\n  \"a\": \"\(long)\",\n  \"b\": {\n    \"c\": \"\(long)\",\n    \"d\": [],\n    \"e\": [true, null]\n  }\n}"
    )
  }

  @Test(
    "What is not an object or array stays",
    arguments: ["", "hello", "1", "\"a\"", "{", "{\"a\":}", "[1,]", "{} x", "[\u{1B}]"])
  func noLayout(_ text: String) { #expect(JSONLayout.of(text, style: plain) == nil) }

  @Test("Deep JSON") func deep() {
    let deep = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
    #expect(JSONLayout.of(deep(128), style: plain)?.contains("[]") == true)
    #expect(JSONLayout.of(deep(100_000), style: plain) == nil)
  }

  @Test("Colours, where they are welcome") func colours() {
    let coloured = JSONLayout.of(#"{"a":[1,true,"s"]}"#, style: Style(hasColours: true))
    #expect(
      coloured
        == "{\u{1B}[34m\"a\"\u{1B}[0m: [\u{1B}[36m1\u{1B}[0m, \u{1B}[35mtrue\u{1B}[0m, \u{1B}[32m\"s\"\u{1B}[0m]}"
    )
  }

  @Test("What a peer sends does not control the terminal") func controls() {
    #expect("a\u{1B}[2Jb\u{7}\n\tc\u{7F}".fitForTerminal == "a␛[2Jb␇\n\tc␡")
    #expect("\u{9B}31m\u{202E}x\r".fitForTerminal == "\u{FFFD}31m\u{FFFD}x␍")
    #expect("é漢🐦".fitForTerminal == "é漢🐦")
    #expect(JSONLayout.of("{\"\u{9B}\":1}", style: plain) == "{\"\u{FFFD}\": 1}")
  }

  @Test("A hex dump") func hexDump() {
    #expect(
      HexDump.of(Array("Hello, world!\n".utf8) + [0, 255, 0x7E], style: plain) == """
        00000000  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 21 0a 00 ff  Hello, world!···
        00000010  7e                                                ~
        """)
    let long = HexDump.of(Array(repeating: 0, count: 64 * 16 + 5), style: plain)
    #expect(long.split(separator: "\n").count == 65 && long.hasSuffix("… 5 more bytes"))
  }

  @Test("Messages in a pipe") func pipe() {
    let plain = MessageFormat(binary: .base64, isJSON: false)
    #expect(plain.line(.text("a\"b")) == "a\"b" && plain.line(.binary([0, 255])) == "AP8=")
    #expect(plain.line(closedWith: .normal, reason: "") == nil)
    let json = MessageFormat(binary: .hex, isJSON: true)
    #expect(json.line(.text("a\"\nb")) == #"{"type":"text","data":"a\"\nb"}"#)
    #expect(json.line(.binary([0, 255])) == #"{"type":"binary","data":"00ff"}"#)
    #expect(json.line(closedWith: .normal, reason: "bye") == #"{"type":"close","reason":"bye","code":1000}"#)
  }

  @Test(
    "Time spans",
    arguments: [
      (0, "0.00 ms"), (123, "0.12 ms"), (9_996, "10.00 ms"), (12_400, "12 ms"), (1_250_000, "1250 ms"),
    ])
  func spans(_ microseconds: Int, _ text: String) {
    #expect(Milliseconds.text(.microseconds(microseconds)) == text)
  }
}
