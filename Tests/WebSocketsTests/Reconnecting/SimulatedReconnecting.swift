import CLinux
import EventLoops
import TestRandomness
import Testing
import Transport

@testable import WebSockets

/// A reconnecting socket on a simulated loop; the test plays the servers.
final class SimulatedReconnecting: @unchecked Sendable {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let address = SocketAddress.loopback(port: 80)
  private(set) var socket: ReconnectingWebSocket?
  private(set) var peers: [SimulatedPeer] = []
  /// What was called, in order.
  var events: [String] = []
  /// The delays before attempts.
  var delays: [UInt64] = []
  /// What tasks have noted.
  var notes: [String] = []

  init() {
    loop = network.makeLoop()
    listen()
  }

  /// Tasks that still wait hold their socket, which would be told of nothing any more.
  deinit {
    network.connectScripts = [:]
    events = []
    socket?.stop()
    network.advance(milliseconds: 100_000)
  }

  func make(
    _ urls: [String] = ["ws://127.0.0.1/"],
    options: ReconnectingWebSocketOptions = ReconnectingWebSocketOptions(), seed: UInt64 = 1,
    takesMessages: Bool = true
  ) {
    socket = ReconnectingWebSocket(
      urls.map { EndpointSelector.Endpoint($0) }, options: options, events: recorder(takesMessages),
      loop: loop, random: SeededRandom(seed: seed))
  }

  private func recorder(_ takesMessages: Bool) -> ReconnectingWebSocket.Events {
    var recorder = ReconnectingWebSocket.Events()
    recorder.onOpen = { [weak self] in self?.events.append("open") }
    if takesMessages {
      recorder.onMessage = { [weak self] in self?.events.append("message \(text(of: $0))") }
    }
    recorder.onClose = { [weak self] in
      self?.events.append("close \($0.code)\($0.isFinal ? " final" : "")")
    }
    recorder.onError = { [weak self] in self?.events.append("error \($0.code)") }
    recorder.onReconnecting = { [weak self] attempt, delay in
      self?.events.append("attempt \(attempt)")
      self?.delays.append(delay)
    }
    return recorder
  }

  func drop() { socket = nil }

  // MARK: Servers

  /// Connections to the address succeed; who connects waits for the handshake's answer.
  func listen(_ address: SocketAddress? = nil) {
    network.connectScripts[address ?? self.address] = .succeeds { [unowned self] end in
      peers.append(SimulatedPeer(end))
    }
  }

  func refuse(_ address: SocketAddress? = nil) {
    network.connectScripts[address ?? self.address] = .fails(ECONNREFUSED)
  }

  var peer: SimulatedPeer? { peers.last }

  func advance(_ milliseconds: UInt64) { network.advance(milliseconds: milliseconds) }
  func run() { network.runUntilIdle() }

  /// Starts, and answers the handshake.
  func open() {
    socket?.start()
    run()
    peer?.accept()
    run()
  }

  /// Waits for the next attempt, and answers its handshake.
  func reopen() {
    let count = peers.count
    for _ in 0..<10_000 where peers.count == count { advance(10) }
    peer?.accept()
    run()
  }

  func takeEvents() -> [String] {
    defer { events = [] }
    return events
  }

  func takeNotes() -> [String] {
    defer { notes = [] }
    return notes
  }

  // MARK: Tasks on the loop

  @discardableResult
  func task(
    _ name: String, _ body: @escaping @Sendable (ReconnectingWebSocket) async throws -> Void
  ) -> Task<Void, Never> {
    let socket = socket
    let task = Task(executorPreference: loop) { [weak self] in
      guard let socket else { return }
      do {
        try await body(socket)
        self?.notes.append("\(name) done")
      } catch {
        self?.notes.append("\(name) \((error as? WebSocketError)?.code.description ?? "\(error)")")
      }
    }
    run()
    return task
  }

  /// Sends each in a task of its own.
  func send(_ texts: String...) {
    for text in texts { task(text) { try await $0.send(text) } }
  }

  /// Reads something on the loop.
  func read<T: Sendable>(_ body: @escaping @Sendable (ReconnectingCore) -> T) throws -> T {
    let core = try #require(socket?.core)
    return body(core)
  }

  var state: ReconnectingWebSocket.State? { socket?.core.state }
  var statistics: ReconnectingWebSocket.Statistics? { socket?.core.statistics }
  /// No timer is set, and no loop has anything to do.
  var isAtRest: Bool { loop.timerCount == 0 && !loop.isReadyNow }
}

private func text(of message: WebSocketMessage) -> String {
  switch message {
  case .text(let text): text
  case .binary(let bytes): "\(bytes.count) bytes"
  }
}

/// The server's end of a connection, played by the test.
final class SimulatedPeer {
  let socket: SimulatedSocket
  private var bytes: [UInt8] = []

  init(_ socket: SimulatedSocket) { self.socket = socket }

  /// The client's request, and the 101 for it.
  @discardableResult
  func accept() -> String {
    let request = String(decoding: socket.takeReceived(), as: UTF8.self)
    socket.send(Array(switching(request).utf8))
    return request
  }

  func refuse(_ status: Int, _ fields: String = "") {
    _ = socket.takeReceived()
    socket.send(Array("HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\(fields)\r\n".utf8))
  }

  func send(_ text: String) { send(0x81, Array(text.utf8)) }

  func send(_ first: UInt8, _ payload: [UInt8]) {
    precondition(payload.count < 126)
    socket.send([first, UInt8(payload.count)] + payload)
  }

  /// A close frame, and the end of the stream.
  func close(_ code: UInt16) {
    send(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)])
    socket.end()
  }

  /// The whole frames that the client has sent since the last call.
  func frames() -> [(opcode: UInt8, payload: [UInt8])] {
    bytes += socket.takeReceived()
    var frames: [(opcode: UInt8, payload: [UInt8])] = []
    while bytes.count >= 6 {
      let wide = bytes[1] & 0x7F == 126 ? 2 : bytes[1] & 0x7F == 127 ? 8 : 0
      let start = 2 + wide
      guard bytes.count >= start else { break }
      let count = wide == 0 ? Int(bytes[1] & 0x7F) : bytes[2..<start].reduce(0) { $0 << 8 | Int($1) }
      guard bytes.count >= start + 4 + count else { break }
      let key = Array(bytes[start..<start + 4])
      let masked = bytes[(start + 4)..<(start + 4 + count)]
      frames.append((bytes[0] & 0xF, masked.enumerated().map { $1 ^ key[$0 % 4] }))
      bytes.removeFirst(start + 4 + count)
    }
    return frames
  }

  /// The texts among them.
  func texts() -> [String] {
    frames().filter { $0.opcode == 1 }.map { String(decoding: $0.payload, as: UTF8.self) }
  }
}
