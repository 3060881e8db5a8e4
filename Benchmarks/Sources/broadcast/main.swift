// Sends each message to everybody who is connected, for measuring: broadcast PORT [io_uring]

import EventLoops
import Glibc
import WebSocketCore
import WebSockets

/// Who is connected. Lives on the one loop.
final class Guests: @unchecked Sendable {
  private var places: [ObjectIdentifier: Int] = [:]
  private var connections: [WebSocketConnection] = []

  func add(_ connection: WebSocketConnection) {
    places[ObjectIdentifier(connection)] = connections.count
    connections.append(connection)
  }

  func remove(_ connection: WebSocketConnection) {
    guard let place = places.removeValue(forKey: ObjectIdentifier(connection)) else { return }
    let last = connections.removeLast()
    guard last !== connection else { return }
    connections[place] = last
    places[ObjectIdentifier(last)] = place
  }

  func send(_ message: PreparedMessage) {
    for connection in connections { connection.send(message) }
  }
}

final class Broadcaster: WebSocketHandler {
  private let guests: Guests
  init(_ guests: Guests) { self.guests = guests }

  override func opened(_ connection: WebSocketConnection) { guests.add(connection) }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) { guests.send(PreparedMessage(message, kind)) }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    guests.remove(connection)
  }
}

let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 0
let guests = Guests()
let driver: EventLoopDriver = CommandLine.arguments.dropFirst(2).first == "io_uring" ? .ioUring : .epoll
let group = EventLoopGroup(loops: 1, driver: driver)
guard group.driver == driver else {
  print("the kernel refuses io_uring: errno \(group.driverRefusal ?? 0)")
  exit(1)
}
let server = WebSocketServer(port: port, group: group)
let running = try await server.start { _ in .handle { Broadcaster(guests) } }
print("listening on ws://127.0.0.1:\(running.port)")
fflush(nil)
while true { try await Task.sleep(for: .seconds(3_600)) }
