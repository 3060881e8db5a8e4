import EventLoops
import Testing
import WebSocketCore

@testable import WebSockets

/// Bodies of `accept` on a simulated loop: what they take and send, byte by byte.
@Suite(.timeLimit(.minutes(5))) struct AcceptTests {
  private let echo: WebSocketBody = { socket in
    for try await message in socket { try await socket.send(message) }
  }

  @Test func messagesOfOneReadAreTakenInOrder() throws {
    let server = try SimulatedServer(AcceptingService(body: echo))
    let client = try server.connectWebSocket()
    var sent: [UInt8] = []
    var expected: [UInt8] = []
    for index in 0..<16 as Range<UInt8> {
      let payload = [UInt8](repeating: 65 + index, count: Int(index) * 8)
      sent += clientFrame(index % 2 == 0 ? 0x81 : 0x82, payload)
      expected += [index % 2 == 0 ? 0x81 : 0x82, UInt8(payload.count)] + payload
    }
    client.send(sent)
    server.network.runUntilIdle()
    #expect(client.takeReceived() == expected)
  }

  @Test(arguments: [
    "", "x", "häßlich", "häßlich, und länger als fünfzehn Bytes 🐦", String(repeating: "a", count: 125),
  ])
  func aTextIsWhatWasSent(text: String) throws {
    let record = Record()
    let server = try SimulatedServer(
      AcceptingService { socket in
        for try await message in socket {
          if case .text(let text) = message { record.texts.append(text) }
        }
      })
    let client = try server.connectWebSocket()
    client.send(clientFrame(0x81, Array(text.utf8)))
    server.network.runUntilIdle()
    #expect(record.texts == [text])
    // As a key it is looked up by its normal form, which depends on what it was said to consist of.
    #expect(Set(record.texts) == [text])
  }

  /// What is between the messages of one read has its effect in its place, as the task takes them one by one.
  @Test func controlFramesOfTheSameReadKeepTheirPlaces() throws {
    let server = try SimulatedServer(AcceptingService(body: echo))
    let client = try server.connectWebSocket()
    client.send(
      clientFrame(0x81, [65]) + clientFrame(0x89, [1]) + clientFrame(0x82, [66])
        + clientFrame(0x88, [0x03, 0xE8]) + clientFrame(0x81, [67]))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x81, 1, 65, 0x8A, 1, 1, 0x82, 1, 66, 0x88, 2, 0x03, 0xE8])
  }

  @Test func aViolationBehindAMessageOfTheSameReadEndsTheConnection() throws {
    let record = Record()
    let server = try SimulatedServer(
      AcceptingService { socket in
        do {
          for try await message in socket { try await socket.send(message) }
        } catch {
          record.texts.append("\((error as? WebSocketError)?.closeCode?.rawValue ?? 0)")
        }
      })
    let client = try server.connectWebSocket()
    client.send(clientFrame(0x81, [65]) + clientFrame(0x83, []) + clientFrame(0x81, [66]))
    server.network.runUntilIdle()
    let received = client.takeReceived()
    #expect(received.prefix(3) == [0x81, 1, 65])
    #expect(received.dropFirst(3).first == 0x88)
    #expect(received.dropFirst(5).prefix(2) == [0x03, 0xEA])
    client.end()
    server.network.runUntilIdle()
    #expect(record.texts == ["1006"])
  }

  /// The read ends while the task waits for something else: what it has not taken is kept for it.
  @Test func aTaskThatStopsAmongTheMessagesOfAReadFindsTheOthersLater() throws {
    let record = Record()
    let server = try SimulatedServer(
      AcceptingService { socket in
        for try await message in socket {
          try await socket.send(message)
          if message == .text("A") || message == .text("C") {
            await withUnsafeContinuation { record.gate = $0 }
          }
        }
      })
    let client = try server.connectWebSocket()
    let (whole, last) = (UInt8(65)..<69, clientFrame(0x81, [69]))
    client.send(whole.flatMap { clientFrame(0x81, [$0]) } + last.dropLast(3))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x81, 1, 65])
    record.gate?.resume()
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x81, 1, 66, 0x81, 1, 67])
    client.send(Array(last.suffix(3)) + clientFrame(0x81, [70]))
    server.network.runUntilIdle()
    #expect(client.takeReceived().isEmpty)
    record.gate?.resume()
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x81, 1, 68, 0x81, 1, 69, 0x81, 1, 70])
  }

  @Test func anIteratorIsAskedByHand() throws {
    let record = Record()
    let server = try SimulatedServer(
      AcceptingService { socket in
        var messages = socket.makeAsyncIterator()
        while let message = try await messages.next() {
          record.texts.append("\(message)")
          guard let second = try await messages.next(isolation: nil) else { break }
          record.texts.append("isolation \(second)")
        }
      })
    let client = try server.connectWebSocket()
    client.send((65..<69 as Range<UInt8>).flatMap { clientFrame(0x82, [$0]) })
    server.network.runUntilIdle()
    #expect(
      record.texts == ["binary([65])", "isolation binary([66])", "binary([67])", "isolation binary([68])"])
  }

  /// Otherwise the messages of all connections that have one are in memory at a time.
  @Test func aTaskAnswersBeforeTheNextConnectionIsRead() throws {
    let record = Record()
    let server = try SimulatedServer(
      AcceptingService { socket in
        for try await message in socket {
          guard case .text(let text) = message else { continue }
          record.texts.append("task \(text)")
          try await socket.send(text)
        }
      } handler: {
        RecordingMessages(record)
      })
    let byTask = try server.connectWebSocket()
    let byHandler = try server.connectWebSocket()
    for (client, letter) in [(byTask, 65), (byHandler, 66)] as [(SimulatedSocket, UInt8)] {
      client.send(clientFrame(0x81, [letter]) + clientFrame(0x81, [letter + 32]))
    }
    server.network.runUntilIdle()
    #expect(record.texts == ["task A", "task a", "handler B", "handler b"])
    #expect(byTask.takeReceived() == [0x81, 1, 65, 0x81, 1, 97])
  }

  @Test func messagesBeforeACloseFrameAreTakenBeforeTheEnd() throws {
    let record = Record()
    let server = try SimulatedServer(
      AcceptingService { socket in
        for try await message in socket { record.texts.append("\(message.byteCount)") }
        record.texts.append("end \(await socket.closeCode?.rawValue ?? 0)")
      })
    let client = try server.connectWebSocket()
    client.send(clientFrame(0x81, [65]) + clientFrame(0x82, [1, 2]) + clientFrame(0x88, [0x03, 0xE8]))
    server.network.runUntilIdle()
    #expect(client.takeReceived() == [0x88, 2, 0x03, 0xE8])
    client.end()
    server.network.runUntilIdle()
    #expect(record.texts == ["1", "2", "end 1000"])
  }

  /// Reading stops behind the limit of one message, and goes on when half of that is left.
  @Test func aTaskThatTakesNothingHoldsThePeerBack() throws {
    let record = Record()
    let options = WebSocketOptions(limits: WebSocketLimits(maximumMessageBytes: 1_000))
    let server = try SimulatedServer(
      AcceptingService(options: options) { socket in
        await withUnsafeContinuation { record.gate = $0 }
        for try await message in socket { record.texts.append("\(message.byteCount)") }
      })
    let client = try server.connectWebSocket()
    let message = clientFrame(0x82, [UInt8](repeating: 1, count: 100))
    for _ in 0..<200 {
      client.send(message)
      server.network.runUntilIdle()
    }
    let connection = try #require(server.registry.all.first as? WebSocketConnection)
    #expect(connection.isReadingPaused)
    #expect(record.texts.isEmpty)
    record.gate?.resume()
    server.network.runUntilIdle()
    #expect(record.texts == [String](repeating: "100", count: 200))
    #expect(!connection.isReadingPaused)
  }
}

/// Accepts every request, the first by a task and, if there is a handler, all others by that.
private final class AcceptingService: HTTPService {
  private let options: WebSocketOptions
  private let body: WebSocketBody
  private let handler: (@Sendable () -> WebSocketHandler)?
  private let record = Record()

  init(
    options: WebSocketOptions = WebSocketOptions(), body: @escaping WebSocketBody,
    handler: (@Sendable () -> WebSocketHandler)? = nil
  ) {
    self.options = options
    self.body = body
    self.handler = handler
  }

  func handle(_ exchange: HTTPExchange) {
    defer { record.texts.append("request") }
    if let handler, !record.texts.isEmpty {
      exchange.upgrade(to: handler(), options: options)
    } else {
      exchange.accept(options: options, body)
    }
  }
}

private final class RecordingMessages: WebSocketHandler, @unchecked Sendable {
  private let record: Record

  init(_ record: Record) { self.record = record }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    record.texts.append("handler \(String(decoding: message, as: UTF8.self))")
  }
}

/// What happened, on one thread.
private final class Record: @unchecked Sendable {
  var texts: [String] = []
  var gate: UnsafeContinuation<Void, Never>?
}
