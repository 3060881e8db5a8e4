import CLinux
import EventLoops
import Testing

@testable import Transport

/// Echoes on real sockets.
private final class EchoHandler: ConnectionHandler {
  override func connected(_ connection: Connection) { connection.maximumQueuedBytes = 32 << 20 }
  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    connection.write(UnsafeRawBufferPointer(bytes))
  }
}

/// Sends its payload and tells what came back and how the connection ended.
private final class SendingHandler: ConnectionHandler {
  let payload: [UInt8]
  var received: [UInt8] = []
  let done: @Sendable ([UInt8], ConnectionCloseReason) -> Void

  init(_ payload: [UInt8], _ done: @escaping @Sendable ([UInt8], ConnectionCloseReason) -> Void) {
    self.payload = payload
    self.done = done
  }

  override func connected(_ connection: Connection) {
    connection.maximumQueuedBytes = 32 << 20
    connection.write(payload)
  }
  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    received += bytes
    if received.count >= payload.count { connection.close() }
  }
  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) { done(received, reason) }
}

private typealias Answer = ([UInt8], ConnectionCloseReason?)

/// Connects, sends, and returns what came back.
private func exchange(_ payload: [UInt8], on loop: EventLoop, _ address: SocketAddress) async -> Answer {
  await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
    loop.execute {
      let handler = SendingHandler(payload) { continuation.resume(returning: ($0, $1)) }
      Connector.connect(loop: loop, to: address, handler: handler) {
        if case .failure = $0 { continuation.resume(returning: ([], nil)) }
      }
    }
  }
}

/// The drivers that this machine has.
let drivers = [EventLoopDriver.epoll, .ioUring].filter {
  EventLoopGroup(loops: 1, driver: $0).driver == $0
}

@Suite struct SocketTests {
  @Test(arguments: drivers)
  func echoOfTenMegabytesOverTwoLoops(driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: 2, driver: driver)
    defer { group.shutdown() }
    let listener = try await Listener.bind(group: group, host: "127.0.0.1", port: 0) { _ in EchoHandler() }
    let port = try #require(listener.port)
    #expect(port != 0 && listener.addresses == [.loopback(port: port)])
    let payload = (0..<10 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let (back, reason) = await exchange(payload, on: group.loops[1], .loopback(port: port))
    #expect(back == payload)
    #expect(reason == .ended)
    for index in 0..<20 {
      let small = [UInt8(index), 2, 3]
      #expect(await exchange(small, on: group.loops[index % 2], .loopback(port: port)).0 == small)
    }
    listener.close()
  }

  @Test(arguments: drivers)
  func allInterfacesShareAPort(driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: 2, driver: driver)
    defer { group.shutdown() }
    let listener = try await Listener.bind(group: group, port: 0) { _ in EchoHandler() }
    let port = try #require(listener.port)
    #expect(Set(listener.addresses.map(\.port)) == [port])
    for address in listener.addresses {
      let target: SocketAddress =
        if case .ipv6 = address { .ipv6(0, 1, scope: 0, port: port) } else { .loopback(port: port) }
      #expect(await exchange([1, 2], on: group.loops[0], target).0 == [1, 2])
    }
    listener.close()
  }

  @Test(arguments: drivers)
  func aUnixSocketAndAStaleOne(driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: 1, driver: driver)
    defer { group.shutdown() }
    let path = "/tmp/martlet-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
    let address = SocketAddress.unix(path)
    // What a program that was killed leaves behind.
    let fd = clinux_socket(AF_UNIX)
    #expect(address.withSockaddr { clinux_bind(fd, $0, $1) } == 0)
    clinux_close(fd)
    let listener = try await Listener.bind(group: group, unixPath: path) { _ in EchoHandler() }
    #expect(await exchange([1, 2, 3], on: group.loops[0], address).0 == [1, 2, 3])
    await #expect(throws: TransportError.self) {
      _ = try await Listener.bind(group: group, unixPath: path) { _ in EchoHandler() }
    }
    listener.close()
    #expect(clinux_is_socket(path) == 0)
  }

  /// Writes the index of its loop.
  private final class LoopHandler: ConnectionHandler {
    override func connected(_ connection: Connection) { connection.write([UInt8(connection.loop.index)]) }
  }

  @Test(arguments: drivers)
  func aUnixSocketIsServedByAllLoopsInTurn(driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: 3, driver: driver)
    defer { group.shutdown() }
    let path = "/tmp/martlet-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
    let listener = try await Listener.bind(group: group, unixPath: path, mode: 0o600) { _ in LoopHandler() }
    #expect(clinux_file_mode(path) & 0o777 == 0o600)
    var loops: [UInt8] = []
    for _ in 0..<6 { loops += await exchange([0], on: group.loops[0], .unix(path)).0 }
    #expect(loops == [0, 1, 2, 0, 1, 2])
    listener.close()
    #expect(clinux_is_socket(path) == 0)
  }

  @Test(arguments: drivers)
  func passedSocketsAreServedByAllLoops(driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: 2, driver: driver)
    defer { group.shutdown() }
    let descriptors = (0..<2).map { _ in clinux_socket(AF_INET) }
    var addresses: [SocketAddress] = []
    for fd in descriptors {
      #expect(SocketAddress.loopback(port: 0).withSockaddr { clinux_bind(fd, $0, $1) } == 0)
      #expect(clinux_listen(fd, 4) == 0)
    }
    let listener = try await Listener.adopt(descriptors, group: group) { _ in LoopHandler() }
    addresses = listener.addresses
    #expect(Set(addresses.map(\.port)).count == 2)
    for address in addresses {
      var loops: [UInt8] = []
      for _ in 0..<2 { loops += await exchange([0], on: group.loops[1], address).0 }
      #expect(loops.sorted() == [0, 1])
    }
    listener.close()
  }

  @Test(arguments: drivers)
  func onlyListeningSocketsAreAdopted(driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: 1, driver: driver)
    defer { group.shutdown() }
    let fd = clinux_socket(AF_INET)
    for descriptors in [[fd], [-1], [9_999], []] as [[Int32]] {
      await #expect(throws: TransportError.self) {
        _ = try await Listener.adopt(descriptors, group: group) { _ in LoopHandler() }
      }
    }
    clinux_close(fd)
  }

  @Test(arguments: [1, 2], drivers)
  func refusedAndInUseSayWhatToDo(loops: Int, driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: loops, driver: driver)
    defer { group.shutdown() }
    let listener = try await Listener.bind(group: group, host: "127.0.0.1", port: 0) { _ in EchoHandler() }
    let port = try #require(listener.port)
    do throws(TransportError) {
      _ = try await Listener.bind(group: group, host: "127.0.0.1", port: port) { _ in EchoHandler() }
      Issue.record("bound twice")
    } catch {
      #expect(error.code == .addressInUse && error.message.contains("choose another port"))
    }
    listener.close()
    // Each loop closes its own part.
    for loop in group.loops {
      await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
    }
    // The kernel may let go of a socket a moment after its last request has ended (io_uring).
    var refusal: TransportError?
    for _ in 0..<100 where refusal == nil {
      do throws(TransportError) {
        let connection = try await Connector.connect(loop: group.loops[0], host: "127.0.0.1", port: port) {
          _ in
          EchoHandler()
        }
        connection.loop.execute { connection.abort() }
      } catch {
        refusal = error
      }
    }
    #expect(refusal?.code == .refused && refusal?.errno == ECONNREFUSED)
  }

  @Test(arguments: drivers)
  func aNameIsLookedUpOffTheLoop(driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: 1, driver: driver)
    defer { group.shutdown() }
    let listener = try await Listener.bind(group: group, host: "127.0.0.1", port: 0) { _ in EchoHandler() }
    let port = try #require(listener.port)
    let connection = try await Connector.connect(loop: group.loops[0], host: "localhost", port: port) { _ in
      ConnectionHandler()
    }
    #expect(connection.peerAddress == .loopback(port: port))
    do throws(TransportError) {
      _ = try await Connector.connect(loop: group.loops[0], host: "no-such-host.invalid", port: 1) { _ in
        ConnectionHandler()
      }
      Issue.record("found a host that is not there")
    } catch {
      #expect(error.code == .nameNotResolved)
    }
  }

  @Test(arguments: drivers)
  func shutdownClosesWhatIsOpen(driver: EventLoopDriver) async throws {
    let group = EventLoopGroup(loops: 2, driver: driver)
    let listener = try await Listener.bind(group: group, host: "127.0.0.1", port: 0) { _ in
      ConnectionHandler()
    }
    let port = try #require(listener.port)
    let reason = await withCheckedContinuation {
      (continuation: CheckedContinuation<ConnectionCloseReason, Never>) in
      let loop = group.loops[0]
      loop.execute {
        let handler = SendingHandler([1, 2]) { continuation.resume(returning: $1) }
        Connector.connect(loop: loop, to: .loopback(port: port), handler: handler) { _ in group.shutdown() }
      }
    }
    // A reset where the other loop ended with bytes unread, or before it had accepted.
    #expect(reason == .loopStopped || reason == .ended || reason == .failed(errno: ECONNRESET))
  }
}
