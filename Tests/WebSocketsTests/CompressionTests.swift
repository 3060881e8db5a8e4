import EventLoops
import Testing
import WebSocketCore

@testable import WebSockets

/// permessage-deflate on a server's connection: exact bytes on the simulated network.
@Suite struct CompressionTests {
  private static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

  /// Opens a socket with an offer; returns the response's extensions.
  private func connect(
    _ offer: String?, _ options: WebSocketOptions, _ handler: RecordingHandler = RecordingHandler()
  ) throws -> (server: SimulatedServer, client: SimulatedSocket, accepted: String?) {
    let server = try SimulatedServer(SocketService(options: options) { handler })
    let client = try server.connect()
    let field = offer.map { "Sec-WebSocket-Extensions: \($0)\r\n" } ?? ""
    client.send(Array((openingRequest.dropLast() + field + "\r\n").utf8))
    server.network.runUntilIdle()
    let response = String(decoding: client.takeReceived(), as: UTF8.self)
    #expect(response.hasPrefix("HTTP/1.1 101 "))
    let name = "Sec-WebSocket-Extensions: "
    let line = response.split(separator: "\r\n" as Character).first { $0.hasPrefix(name) }
    return (server, client, line.map { String($0.dropFirst(name.count)) })
  }

  private func options(_ compression: DeflateOptions?) -> WebSocketOptions {
    WebSocketOptions(compression: compression)
  }

  @Test func itIsOffUnlessBothWantIt() throws {
    let handler = RecordingHandler()
    #expect(try connect("permessage-deflate", options(nil)).accepted == nil)
    #expect(try connect(nil, options(.standard), handler).accepted == nil)
    #expect(handler.connection?.compression == nil)
    let (server, _, accepted) = try connect("permessage-deflate", options(.standard), handler)
    #expect(accepted == "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    #expect(handler.connection?.compression?.sendsWithContext == false)
    #expect(server.registry.count == 1)
  }

  @Test func echoesWithContext() throws {
    let deflate = DeflateOptions(
      level: 6, minimumBytes: 0, sendsWithContext: true, receivesWithContext: true)
    let handler = RecordingHandler()
    let (server, client, accepted) = try connect("permessage-deflate", options(deflate), handler)
    #expect(accepted == "permessage-deflate")
    client.send(clientFrame(0xC1, Self.hello) + clientFrame(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00]))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0xC1, 7] + Self.hello + [0xC1, 5, 0xF2, 0x00, 0x11, 0x00, 0x00])
    #expect(handler.events == ["opened", "Hello", "Hello"])
    // A frame that was compressed for everybody does not rely on the window, and the next one not on it.
    let prepared = PreparedMessage("Hello", compression: DeflateOptions(level: 6, minimumBytes: 0))
    // Five bytes become seven: the plain frame is the better one.
    handler.connection?.send(prepared)
    handler.connection?.send("Hello")
    server.network.runUntilIdle()
    #expect(
      client.takeReceived() == [0x81, 5] + Array("Hello".utf8) + [0xC1, 4, 0x02, 0x13, 0x00, 0x00])
    let long = PreparedMessage(String(repeating: "Hello", count: 20), compression: deflate)
    handler.connection?.send(long)
    handler.connection?.send("Hello")
    server.network.runUntilIdle()
    let received = client.takeReceived()
    #expect(received.first == 0xC1 && received.suffix(9).elementsEqual([0xC1, 7] + Self.hello))
  }

  @Test func smallMessagesLeaveUncompressed() throws {
    let handler = RecordingHandler()
    let (server, client, _) = try connect("permessage-deflate", options(.standard), handler)
    handler.connection?.send(String(repeating: "a", count: 127))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x81, 126, 0, 127] + [UInt8](repeating: 0x61, count: 127))
    handler.connection?.send(String(repeating: "a", count: 128))
    server.network.runUntilIdle()
    let received = client.takeReceived()
    #expect(received.first == 0xC1 && received.count < 20)
  }

  @Test func aPreparedMessageFitsEachConnection() throws {
    let text = String(repeating: "news ", count: 100)
    let prepared = PreparedMessage(text, compression: .standard)
    let offers: [(String?, UInt8)] = [
      (nil, 0x81), ("permessage-deflate", 0xC1), ("permessage-deflate; server_max_window_bits=10", 0x81),
    ]
    for (offer, first) in offers {
      let handler = RecordingHandler()
      let (server, client, _) = try connect(offer, options(.standard), handler)
      handler.connection?.send(prepared)
      server.network.runUntilIdle()
      #expect(client.takeReceived().first == first, "\(offer ?? "-")")
    }
    let narrow = PreparedMessage(text, compression: DeflateOptions(sendWindowBits: 10))
    let handler = RecordingHandler()
    let (server, client, _) = try connect(
      "permessage-deflate; server_max_window_bits=10", options(.standard), handler)
    handler.connection?.send(narrow)
    server.network.runUntilIdle()
    #expect(client.takeReceived().first == 0xC1)
  }

  @Test func aBombEndsWithItsCodeAndIsCounted() throws {
    let handler = RecordingHandler()
    var options = options(.standard)
    options.limits.maximumMessageBytes = 1_000
    let (server, client, _) = try connect("permessage-deflate", options, handler)
    let pool = CompressionPool()
    let bomb = [UInt8](repeating: 0, count: 10_000).withUnsafeBytes {
      pool.compression(DeflateAgreement(sendsWithContext: false, receivesWithContext: false), .standard)
        .compress($0) { Array($0) }
    }
    client.send(clientFrame(0xC2, try #require(bomb)))
    server.network.runUntilIdle()
    let reason = Array("The message is too big.".utf8)
    #expect(client.takeReceived() == [0x88, UInt8(reason.count + 2), 0x03, 0xF1] + reason)
    #expect(server.count(of: "messages_too_big") == 1)
  }

  @Test func garbageEndsWithItsCode() throws {
    let (server, client, _) = try connect("permessage-deflate", options(.standard))
    client.send(clientFrame(0xC2, [0xFF, 0xFF, 0xFF]))
    server.network.runUntilIdle()
    #expect(client.takeReceived().dropFirst(2).starts(with: [0x03, 0xEF]))
    #expect(server.count(of: "protocol_errors") == 1)
  }
}
