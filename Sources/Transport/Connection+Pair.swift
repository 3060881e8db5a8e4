import EventLoops

extension Connection {
  /// Makes two connections that are each other's peers, both on the loop that this runs on.
  ///
  /// - Parameters:
  ///   - loop: the loop.
  ///   - peer: who the server's end is told that it talks to.
  ///   - server: the handler of one end; it is told first that it is connected.
  ///   - client: the handler of the other.
  /// - Returns: false if there are no descriptors left.
  package static func pair(
    on loop: EventLoop, from peer: SocketAddress, server: ConnectionHandler, client: ConnectionHandler
  ) -> Bool {
    guard let (near, far) = try? loop.driver.makePair() else { return false }
    Connection(loop: loop, id: loop.driver.attach(far), peer: peer, handler: server).start()
    Connection(loop: loop, id: loop.driver.attach(near), peer: peer, handler: client).start()
    return true
  }
}
