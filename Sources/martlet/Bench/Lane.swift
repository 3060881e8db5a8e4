import EventLoops
import WebSocketCore
import WebSockets

/// One connection of a benchmark: each is its own handler, which spares a look-up for every message.
class BenchConnection: WebSocketHandler, @unchecked Sendable {
  let lane: Lane
  final fileprivate(set) var socket: WebSocketConnection?
  /// When we began to close it; 0 before.
  final fileprivate(set) var closingSince: UInt64 = 0

  init(_ lane: Lane) { self.lane = lane }

  final override func opened(_ connection: WebSocketConnection) {
    socket = connection
    start(connection)
  }

  final override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    socket = nil
    ended()
    lane.closed(self, code, reason)
  }

  /// The connection is open.
  func start(_ connection: WebSocketConnection) {}

  /// The connection is gone.
  func ended() {}
}

/// What a benchmark has on one event loop: connections, and the times of opening and closing them. Loop-confined.
final class Lane: @unchecked Sendable {
  /// Openings and closings under way at once: enough to keep a server busy, few enough that the time of one is not
  /// mostly waiting for the others.
  static let parallelism = 32
  /// How long one connection may take to close until the others close all at once.
  private static let patienceNanoseconds: UInt64 = 1_000_000_000

  let index: Int
  let loop: EventLoop
  private let url: String
  private var rotation: SourceRotation
  private(set) var connections: [BenchConnection] = []
  private(set) var connectTimes = LatencyHistogram()
  private(set) var closeTimes = LatencyHistogram()
  var errors = ErrorTally()
  /// Connections that could not be opened.
  private(set) var failedCount = 0
  private(set) var openCount = 0
  private var toOpen = 0
  private var underway = 0
  private var makeConnection: (() -> BenchConnection)?
  private var whenOpened: (() -> Void)?
  private var toClose: [BenchConnection] = []
  private var whenClosed: (() -> Void)?
  private var isCancelled = false

  init(index: Int, loop: EventLoop, target: BenchTarget) {
    self.index = index
    self.loop = loop
    url = target.url
    rotation = SourceRotation(target)
  }

  // MARK: Opening

  /// Opens `count` connections more; `done` is called when each is open or has failed.
  func open(_ count: Int, _ make: @escaping () -> BenchConnection, _ done: @escaping () -> Void) {
    toOpen = count
    makeConnection = make
    whenOpened = done
    openMore()
  }

  /// Opens no further connections.
  func cancelOpening() {
    isCancelled = true
    toOpen = 0
    openMore()
  }

  private func openMore() {
    while toOpen > 0, underway < Self.parallelism, let connection = makeConnection?() {
      toOpen -= 1
      underway += 1
      open(connection)
    }
    guard toOpen == 0, underway == 0, let done = whenOpened else { return }
    whenOpened = nil
    makeConnection = nil
    done()
  }

  private func open(_ connection: BenchConnection) {
    let startedAt = MonotonicClock.nanoseconds
    WebSocketClient.connect(to: url, on: loop, options: rotation.next(), handler: connection) {
      [self] result in
      underway -= 1
      switch result {
      case .success:
        connectTimes.record(MonotonicClock.nanoseconds - startedAt)
        openCount += 1
        connections.append(connection)
      case .failure(let error):
        failedCount += 1
        errors.add(Explanation.brief(error))
      }
      // Not inside the handshake of this one.
      loop.execute { self.openMore() }
    }
  }

  // MARK: Closing

  /// Closes all connections with 1000 and waits for the server to end them.
  func closeAll(_ done: @escaping () -> Void) {
    toClose = connections.filter { $0.socket != nil }
    whenClosed = done
    for _ in 0..<Self.parallelism { closeNext() }
    finishClosing()
  }

  private func closeNext() {
    while let connection = toClose.popLast() {
      guard let socket = connection.socket else { continue }
      connection.closingSince = MonotonicClock.nanoseconds
      return socket.close()
    }
  }

  func closed(_ connection: BenchConnection, _ code: CloseCode, _ reason: String) {
    openCount -= 1
    if connection.closingSince == 0 {
      errors.add("connection lost: \(Closure.text(code, reason))")
    } else {
      let time = MonotonicClock.nanoseconds - connection.closingSince
      if code == .normal || code == .noStatus {
        closeTimes.record(time)
      } else {
        errors.add("not closed properly: \(Closure.text(code, reason))")
      }
      // A server that leaves it to us to end connections is waited for once, not once for each few of them.
      if time > Self.patienceNanoseconds { while !toClose.isEmpty { closeNext() } }
      closeNext()
    }
    finishClosing()
  }

  /// Cuts what is still open.
  func abortAll() {
    toClose = []
    for connection in connections { connection.socket?.abort() }
  }

  private func finishClosing() {
    guard openCount == 0, let done = whenClosed else { return }
    whenClosed = nil
    done()
  }
}
