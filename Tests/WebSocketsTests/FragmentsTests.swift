import EventLoops
import Testing
import WebSocketCore

@testable import WebSockets

/// Messages in pieces on a server's connection, both ways.
@Suite struct FragmentsTests {
  private final class PieceHandler: WebSocketHandler, @unchecked Sendable {
    var pieces: [String] = []
    var connection: WebSocketConnection?
    var pausesAfter = Int.max

    override func opened(_ connection: WebSocketConnection) { self.connection = connection }

    override func received(
      _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
    ) { pieces.append("whole") }

    override func receivedFragment(
      _ fragment: UnsafeRawBufferPointer, _ kind: MessageKind, isFirst: Bool, isFinal: Bool,
      on connection: WebSocketConnection
    ) {
      let text = fragment.count > 20 ? "\(fragment.count)" : String(decoding: fragment, as: UTF8.self)
      pieces.append((isFirst ? "<" : "") + text + (isFinal ? ">" : ""))
      if pieces.count >= pausesAfter { connection.pauseReading() }
    }

    override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
      self.connection = nil
    }
  }

  private func serve(
    _ options: WebSocketOptions
  ) throws -> (server: SimulatedServer, handler: PieceHandler, client: SimulatedSocket) {
    let handler = PieceHandler()
    let server = try SimulatedServer(SocketService(options: options) { handler })
    return (server, handler, try server.connectWebSocket())
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  // MARK: Receiving

  @Test func piecesFollowTheBytesAndHaveNoLimit() throws {
    let limits = WebSocketLimits(maximumMessageBytes: 3, maximumFragmentCount: 1)
    let (server, handler, client) = try serve(WebSocketOptions(limits: limits, delivery: .fragments))
    client.send(
      clientFrame(0x01, bytes("ab")) + clientFrame(0x89, bytes("p")) + clientFrame(0x00, bytes("cdef")))
    server.network.runUntilIdle()
    client.send(clientFrame(0x00, []) + clientFrame(0x80, []) + clientFrame(0x81, bytes("next")))
    server.network.runUntilIdle()
    #expect(handler.pieces == ["<ab", "cdef", ">", "<next>"])
    #expect(client.takeReceived() == [0x8A, 1] + bytes("p"))
  }

  @Test func aPauseHoldsBackWhatWasReadAlready() throws {
    let (server, handler, client) = try serve(WebSocketOptions(delivery: .fragments))
    handler.pausesAfter = 1
    client.send((0..<4).flatMap { clientFrame(0x81, bytes("\($0)")) } + clientFrame(0x88, [0x03, 0xE8]))
    server.network.runUntilIdle()
    for count in 1...4 {
      #expect(handler.pieces == (0..<count).map { "<\($0)>" })
      // Not inside the call.
      handler.connection?.resumeReading()
      #expect(handler.pieces.count == count)
      server.network.runUntilIdle()
    }
    #expect(client.takeReceived() == [0x88, 2, 0x03, 0xE8])
  }

  @Test func aPauseThatEndsAtOnceIsNone() throws {
    let handler = RecordingHandler()
    let server = try SimulatedServer(SocketService { handler })
    let client = try server.connectWebSocket()
    handler.connection?.pauseReading()
    handler.connection?.resumeReading()
    client.send(clientFrame(0x81, bytes("a")))
    server.network.runUntilIdle()
    #expect(handler.events == ["opened", "a"])
  }

  /// What decompresses to megabytes waits in the input, not in the memory.
  @Test func aPauseHoldsBackWhatIsStillCompressed() throws {
    let handler = PieceHandler()
    handler.pausesAfter = 1
    let options = WebSocketOptions(compression: .standard, delivery: .fragments)
    let server = try SimulatedServer(SocketService(options: options) { handler })
    let client = try server.connect()
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    client.send(Array((openingRequest.dropLast() + offer).utf8))
    server.network.runUntilIdle()
    let size = 1 << 20
    let compression = CompressionPool().compression(
      DeflateAgreement(sendsWithContext: false, receivesWithContext: false), .standard)
    let compressed = [UInt8](repeating: 0x61, count: size).withUnsafeBytes { message in
      compression.compress(message) { Array($0) } ?? []
    }
    #expect(compressed.count < 10_000)
    let length = [UInt8(compressed.count >> 8), UInt8(compressed.count & 255)]
    client.send([0xC2, 0xFE] + length + [0, 0, 0, 0] + compressed)
    server.network.runUntilIdle()
    var seen = 0
    while handler.pieces.last?.hasSuffix(">") != true, handler.pieces.count > seen {
      #expect(handler.pieces.count == seen + 1)
      seen = handler.pieces.count
      handler.connection?.resumeReading()
      server.network.runUntilIdle()
    }
    let total = handler.pieces.reduce(0) { $0 + (Int($1.filter(\.isNumber)) ?? 0) }
    #expect(total == size && handler.pieces.count >= 16)
  }

  // MARK: Sending

  @Test func piecesAreFramesOfOneMessage() throws {
    let (server, handler, client) = try serve(WebSocketOptions())
    let connection = try #require(handler.connection)
    #expect(connection.beginMessage(.text) && connection.isSendingFragments)
    #expect(!connection.beginMessage(.text), "one at a time")
    #expect(bytes("ab").withUnsafeBytes { connection.sendFragment($0, isFinal: false) })
    // Whole messages wait, control frames do not.
    connection.send("later")
    connection.send(prepared: FrameEncoder.serverFrame(.text, UnsafeRawBufferPointer(start: nil, count: 0)))
    connection.send(PreparedMessage("p"))
    #expect(connection.bufferedByteCount >= 10)
    connection.ping()
    #expect(bytes("c").withUnsafeBytes { connection.sendFragment($0, isFinal: true) })
    #expect(!connection.isSendingFragments)
    #expect(!bytes("d").withUnsafeBytes { connection.sendFragment($0, isFinal: true) }, "nothing was begun")
    server.network.runUntilIdle()
    #expect(
      client.takeReceived()
        == [0x01, 2] + bytes("ab") + [0x89, 0] + [0x80, 1] + bytes("c") + [0x81, 5] + bytes("later")
        + [0x81, 0, 0x81, 1] + bytes("p"))
  }

  @Test func aCloseMayInterruptAMessage() throws {
    let (server, handler, client) = try serve(WebSocketOptions())
    let connection = try #require(handler.connection)
    connection.beginMessage(.binary)
    bytes("ab").withUnsafeBytes { _ = connection.sendFragment($0, isFinal: false) }
    connection.send("never")
    connection.close(code: .goingAway)
    #expect(!bytes("c").withUnsafeBytes { connection.sendFragment($0, isFinal: true) })
    #expect(!connection.beginMessage(.binary))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x02, 2] + bytes("ab") + [0x88, 2, 0x03, 0xE9])
  }

  /// What waits for the message's end counts as what waits for the network.
  @Test func whatWaitsIsBounded() throws {
    let (server, handler, client) = try serve(WebSocketOptions(maximumQueuedBytes: 1_000))
    let connection = try #require(handler.connection)
    connection.beginMessage(.binary)
    for _ in 0..<3 { #expect(connection.send(String(repeating: "x", count: 400))) }
    #expect(!connection.send("one too many"))
    server.network.runUntilIdle()
    #expect(server.count(of: "slow_consumers") == 1)
    #expect(client.takeReceived() == [] && handler.connection == nil)
  }

  /// Who pauses until `drained` must not wait for it where the kernel takes everything.
  @Test func whatTheKernelTakesAtOnceIsNotBackedUp() throws {
    let (server, handler, client) = try serve(WebSocketOptions())
    let connection = try #require(handler.connection)
    connection.send(String(repeating: "x", count: 400))
    #expect(connection.bufferedByteCount == 404)
    #expect(!connection.isBackedUp(beyond: 100))
    #expect(connection.bufferedByteCount == 0)
    server.network.runUntilIdle()
    #expect(client.takeReceived().count == 404)
  }
}
