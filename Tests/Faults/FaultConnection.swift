import EventLoops
import JSON
import WebSocketCore

/// One WebSocket of a client, on a simulated socket.
final class FaultConnection {
  let number: Int
  let run: Int
  /// The connect command was answered.
  var isReady = false
  /// The server has ended the connection.
  private(set) var isOver = false

  private let socket: SimulatedSocket
  private var decoder = MessageDecoder(role: .client, limits: WebSocketLimits())
  private var head: [UInt8]? = []
  private var lastID: Int64 = 1
  private var commands: [Int64: (name: String, channel: String)] = [:]

  init(_ socket: SimulatedSocket, number: Int, run: Int) {
    self.run = run
    self.socket = socket
    self.number = number
    socket.send(
      ("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").utf8)
  }

  var isSettled: Bool { isReady && commands.isEmpty && socket.inbox.isEmpty }
  var arrivedByteCount: Int { socket.inbox.count }

  // MARK: Sending

  func command(_ name: String, _ channel: String, _ members: String) {
    lastID += 1
    commands[lastID] = (name, channel)
    send(#"{"id":\#(lastID),"\#(name)":{\#(members)}}"#)
  }

  func send(_ text: String) { socket.send(Self.frame(text)) }

  func sendPart(_ text: String, byteCount: Int) { socket.send(Self.frame(text).prefix(byteCount)) }

  private static func frame(_ text: String) -> [UInt8] {
    let payload = Array(text.utf8)
    var frame = [UInt8](
      repeating: 0, count: FrameEncoder.encodedCount(payloadCount: payload.count, masked: true))
    frame.withUnsafeMutableBytes { buffer in
      payload.withUnsafeBytes {
        _ = FrameEncoder.encode(opcode: .text, payload: $0, maskingKey: 0, into: buffer)
      }
    }
    return frame
  }

  /// Whether a subscribe or unsubscribe of the channel waits for its reply.
  func isChanging(_ channel: String) -> Bool {
    commands.values.contains { $0.channel == channel && $0.name != "publish" && $0.name != "ack" }
  }

  // MARK: Reading

  /// What the server's whole messages say, of at most so many bytes.
  func read(atMost limit: Int) -> [ServerMessage] {
    let arrived = socket.takeReceived()
    var messages: [ServerMessage] = []
    var bytes = afterHead(Array(arrived.prefix(limit)))
    bytes.withUnsafeMutableBytes { bytes in
      var input = bytes
      while let event = try? decoder.next(&input) {
        switch event {
        case .message(_, let message): messages += Self.messages(in: message)
        case .close: isOver = true
        default: break
        }
      }
    }
    if socket.endReceived || socket.error != 0 { isOver = true }
    return messages
  }

  /// The handshake's response is passed over.
  private func afterHead(_ bytes: [UInt8]) -> [UInt8] {
    guard var head else { return bytes }
    for (index, byte) in bytes.enumerated() {
      head.append(byte)
      if head.suffix(4) == [13, 10, 13, 10] {
        self.head = nil
        return Array(bytes[(index + 1)...])
      }
    }
    self.head = head
    return []
  }

  private static func messages(in text: UnsafeRawBufferPointer) -> [ServerMessage] {
    text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      (try? JSONValue(parsing: Array(line))).flatMap { ServerMessage($0) }
    }
  }

  /// The channel that a reply is about.
  func subject(of message: ServerMessage) -> String {
    switch message {
    case .subscribed(let id, _), .done(let id), .failed(let id, _): commands[id]?.channel ?? ""
    case .publication(let channel, _), .unsubscribed(let channel): channel
    case .connected, .ping: ""
    }
  }

  /// The command that this answers.
  func answered(_ message: ServerMessage) -> String? {
    switch message {
    case .subscribed(let id, _), .done(let id), .failed(let id, _):
      commands.removeValue(forKey: id)?.name
    default: nil
    }
  }

  // MARK: Faults

  func stall(after byteCount: Int?) { socket.other?.writeWindow = byteCount }

  /// The server sees a reset.
  func cut() { socket.reset() }
}
