import EventLoops
import JSON
import Realtime
import WebSocketCore

/// A client that behaves as the protocol's libraries do: it comes back, subscribes again from where it was, and answers
/// pings. What it does and sees goes into the history.
final class FaultClient {
  private let world: FaultWorld
  private(set) var wanted: Set<String> = []
  private var positions: [String: StreamPosition] = [:]
  private var connection: FaultConnection?
  /// Acknowledgements that the server has not answered, in order.
  private var unconfirmed: [(channel: String, offset: UInt64)] = []
  /// On this connection.
  private var lastAcknowledged: UInt64 = 0
  private let number: Int

  init(_ world: FaultWorld, number: Int = 0) {
    self.world = world
    self.number = number
  }

  var isConnected: Bool { connection != nil }
  /// Whether it has been told of everything that it asked for.
  var isSettled: Bool { connection?.isSettled ?? false }

  func connect() {
    // A server that went before it accepted the connection says nothing any more.
    if let connection, connection.run != world.run, !connection.isReady { lose() }
    guard connection == nil else { return }
    connection = world.connect()
    connection?.send(#"{"id":1,"connect":{"data":{"user":"u\#(number)"}}}"#)
  }

  func subscribe(to channel: String) {
    guard connection?.isChanging(channel) != true, wanted.insert(channel).inserted else { return }
    if let connection, connection.isReady { subscribe(to: channel, on: connection) }
  }

  private func subscribe(to channel: String, on connection: FaultConnection) {
    guard channel != FaultWorld.consumed else {
      world.note(.consuming(client: number), channel, connection)
      return connection.command("subscribe", channel, #""channel":"\#(channel)","consumer":"c""#)
    }
    let since = positions[channel]
    let recovery =
      since.map { #","recover":true,"epoch":"\#($0.epoch)","offset":\#($0.offset)"# } ?? ""
    world.note(.subscribing(since: since), channel, connection)
    connection.command("subscribe", channel, #""channel":"\#(channel)"\#(recovery)"#)
  }

  func unsubscribe(from channel: String) {
    guard wanted.remove(channel) != nil, let connection, connection.isReady else { return }
    connection.command("unsubscribe", channel, #""channel":"\#(channel)""#)
  }

  /// Acknowledges all that it was shown, if it has not yet.
  func acknowledgeAll() {
    guard let shown = positions[FaultWorld.consumed]?.offset, shown > lastAcknowledged else { return }
    acknowledge(before: 0)
  }

  /// Acknowledges what it was shown, up to so many publications before the last one.
  func acknowledge(before count: UInt64) {
    let channel = FaultWorld.consumed
    guard wanted.contains(channel), let connection, connection.isReady, !connection.isChanging(channel),
      let shown = positions[channel]?.offset, shown > count
    else { return }
    let offset = shown - count
    world.note(.acknowledging(client: number, offset), channel, connection)
    unconfirmed.append((channel, offset))
    lastAcknowledged = offset
    connection.command("ack", channel, #""channel":"\#(channel)","offset":\#(offset)"#)
  }

  func publish(_ text: String, to channel: String) {
    guard let connection, connection.isReady else { return }
    world.note(.publishing(text: text), channel, connection)
    connection.command("publish", channel, #""channel":"\#(channel)","data":"\#(text)""#)
  }

  /// Reads what has come, or only the first bytes of it.
  func read(atMost limit: Int = .max) {
    guard let connection else { return }
    let messages = connection.read(atMost: limit)
    for message in messages {
      for told in world.middle.pass(
        message, on: connection.number, channel: connection.subject(of: message))
      {
        take(told, connection)
      }
    }
    if connection.isOver { lose() }
  }

  private func take(_ message: ServerMessage, _ connection: FaultConnection) {
    let subject = connection.subject(of: message)
    let command = connection.answered(message)
    switch message {
    case .connected:
      connection.isReady = true
      for channel in wanted.sorted() { subscribe(to: channel, on: connection) }
    case .subscribed(_, let beginning):
      world.note(.subscribed(beginning), subject, connection)
      positions[subject] = beginning.position.epoch.isEmpty ? nil : beginning.end
    case .publication(let channel, let shown):
      world.note(.shown(shown), channel, connection)
      if shown.offset > 0 { positions[channel]?.offset = shown.offset }
    case .done:
      if command == "unsubscribe" { world.note(.unsubscribed, subject, connection) }
      if command == "ack" {
        let (channel, offset) = unconfirmed.removeFirst()
        world.note(.acknowledged(client: number, offset), channel, connection)
      }
    // The server may have ended the subscription meanwhile.
    case .failed where command == "ack": unconfirmed.removeFirst()
    case .failed(_, let code): world.note(.refused(code: code), subject, connection)
    case .unsubscribed(let channel):
      world.note(.unsubscribed, channel, connection)
      // A client that acknowledges comes again for the rest.
      if channel != FaultWorld.consumed {
        wanted.remove(channel)
      } else if wanted.contains(channel) {
        subscribe(to: channel, on: connection)
      }
    case .ping: connection.send("{}")
    }
  }

  // MARK: Faults

  /// Cuts the connection after some of the bytes that are on the way to the client.
  func cut(afterReading count: Int) {
    read(atMost: count)
    lose()
  }

  /// Cuts the connection after some bytes of a command.
  func cut(afterSending count: Int, of channel: String) {
    connection?.sendPart(#"{"id":99999,"unsubscribe":{"channel":"\#(channel)"}}"#, byteCount: count)
    lose()
  }

  /// So many more bytes go to the client, until it reads on.
  func stall(after byteCount: Int) { connection?.stall(after: byteCount) }
  func readOn() { connection?.stall(after: nil) }

  /// What is on its way to the client, in bytes.
  var arrivedByteCount: Int { connection?.arrivedByteCount ?? 0 }

  func lose() {
    guard let connection else { return }
    connection.cut()
    world.note(.disconnected, "", connection)
    self.connection = nil
    unconfirmed = []
    lastAcknowledged = 0
  }
}
