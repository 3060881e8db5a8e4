import HTTPCore
import Testing
import Transport
import WebSocketCore
import WebSockets

@testable import martlet

@Suite("Arguments of martlet bench") struct BenchArgumentsTests {
  private func target(_ words: String...) throws -> BenchTarget {
    let arguments = try Arguments(words, for: BenchCommand.description)
    return try BenchFlags.target(arguments, mode: #require(BenchMode(rawValue: words[0])))
  }

  @Test("Defaults")
  func defaults() throws {
    let target = try target("echo", "ws://h")
    #expect(target.url == "ws://h")
    #expect(target.connections == 100)
    #expect(target.size == 64)
    #expect(target.depth == 1)
    #expect(target.seconds == 5)
    #expect(target.warmupSeconds == 1)
    #expect(target.rate == nil)
    #expect(target.loops == 1)
    #expect(target.options.socket.keepaliveIntervalMilliseconds == 0)
    #expect(target.options.socket.compression == nil)
  }

  @Test("Every flag arrives")
  func flags() throws {
    let target = try target(
      "echo", "wss://h", "--connections", "7", "--size", "1KiB", "--depth", "3", "--seconds", "2m",
      "--warmup", "0", "--rate", "1500.5", "--loops", "2", "--deflate", "--insecure", "--header", "A: b",
      "--subprotocol", "chat")
    #expect(target.connections == 7)
    #expect(target.size == 1_024)
    #expect(target.depth == 3)
    #expect(target.seconds == 120)
    #expect(target.warmupSeconds == 0)
    #expect(target.rate == 1_500.5)
    #expect(target.loops == 2)
    #expect(target.options.socket.compression != nil)
    #expect(target.options.tls.verification == .none)
    #expect(target.options.fields.values(of: "A") == ["b"])
    #expect(target.options.subprotocols == ["chat"])
  }

  @Test("With a rate, more may be in flight")
  func depthWithRate() throws {
    #expect(try target("echo", "ws://h", "--rate", "10").depth == 64)
    #expect(try target("echo", "ws://h", "--rate", "10", "--depth", "2").depth == 2)
  }

  @Test("Nonsense is refused in words", arguments: ["0", "-1", "many", "nan", "inf"])
  func badRate(_ text: String) {
    #expect(throws: Problem.usage("--rate: \"\(text)\" is not a number above 0 and up to 1e9")) {
      try target("echo", "ws://h", "--rate=\(text)")
    }
  }

  @Test("Connections come from the sources in turn")
  func sources() throws {
    #expect(try target("echo", "ws://h").sources == [])
    let target = try target("echo", "ws://h", "--source", "127.0.0.2", "--source", "::1")
    var rotation = SourceRotation(target)
    let (first, second) = (
      SocketAddress.ipv4(0x7F00_0002, port: 0), SocketAddress.ipv6(0, 1, scope: 0, port: 0)
    )
    #expect((0..<3).map { _ in rotation.next().localAddress } == [first, second, first])
    #expect(throws: Problem.usage("--source: \"lo\" is not an address such as 127.0.0.2 or ::1")) {
      try self.target("echo", "ws://h", "--source", "lo")
    }
  }

  @Test("A process that is not there")
  func noProcess() {
    #expect(throws: Problem.usage("--server-pid: there is no process 2147483647")) {
      try target("echo", "ws://h", "--server-pid", "2147483647")
    }
  }
}
