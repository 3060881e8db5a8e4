import CLinux
import Testing

@testable import EventLoops

/// One end of a connection: keeps what it is told, and writes as a connection does.
final class Stream: IOTarget {
  let driver: Driver
  var id = RegistrationID.none
  var received: [UInt8] = []
  var ends = 0
  var errors: [Int32] = []
  var drains = 0
  var returns = 0
  var unsent: [UInt8] = []
  private(set) var isBlocked = false
  var onReceive: (() -> Void)?

  init(_ driver: Driver) { self.driver = driver }

  override func received(_ bytes: UnsafeMutableRawBufferPointer) {
    received += bytes
    onReceive?()
  }
  override func receivedEnd() { ends += 1 }
  override func failed(_ error: Int32) {
    errors.append(error)
    driver.close(id, reset: false)
  }
  override func writeCompleted(_ count: Int) {
    drains += 1
    isBlocked = false
    unsent.removeFirst(count)
    flush()
  }
  override func writeReturned(_ bytes: UnsafeRawBufferPointer) {
    returns += 1
    isBlocked = true
    unsent.insert(contentsOf: bytes, at: 0)
  }

  func send(_ bytes: [UInt8]) {
    unsent += bytes
    if !isBlocked { flush() }
  }

  private func flush() {
    let offered = unsent
    guard !offered.isEmpty else { return }
    unsent = []
    let result = offered.withUnsafeBytes { driver.write($0, to: id) }
    switch result {
    case .wrote(let count):
      isBlocked = isBlocked || count < offered.count
      unsent += offered[count...]
    case .pending:
      isBlocked = true
      unsent += offered
    case .failed(let error):
      errors.append(error)
    }
  }
}

/// A loop that the test drives, and connections through the kernel.
struct Streams {
  let driver: Driver
  let loop: EventLoop
  let listener: RegistrationID
  private let acceptor = Acceptor()

  final class Acceptor: IOTarget {
    var accepted: [RegistrationID] = []
    override func accepted(_ id: RegistrationID, from peer: SocketAddress) { accepted.append(id) }
  }

  final class Connector: IOTarget {
    var results: [Int32] = []
    override func connectCompleted(_ error: Int32) { results.append(error) }
  }

  init(_ kind: RealDriver) throws {
    driver = try kind.make()
    loop = EventLoop(index: 0, driver: driver, drivenByCaller: true)
    listener = try driver.listen(on: .loopback(port: 0), ListenSettings(backlog: 1_024), target: acceptor)
    driver.resumeAccepting(listener)
  }

  /// Two ends of a new connection, both receiving.
  func pair() throws -> (Stream, Stream) {
    let address = try #require(driver.localAddress(of: listener))
    let connector = Connector()
    let ends = (Stream(driver), Stream(driver))
    acceptor.accepted = []
    ends.0.id = try driver.connect(to: address, target: connector)
    while acceptor.accepted.isEmpty || connector.results.isEmpty { loop.turn() }
    try #require(connector.results == [0])
    ends.1.id = acceptor.accepted[0]
    for end in [ends.0, ends.1] {
      driver.setTarget(end, of: end.id)
      driver.resumeReceiving(end.id)
    }
    return ends
  }

  /// Turns until `condition` holds; false if it does not within some seconds.
  func turn(until condition: () -> Bool) -> Bool {
    var isLate = false
    let timer = loop.schedule(after: 10_000) { isLate = true }
    while !condition(), !isLate { loop.turn() }
    loop.cancel(timer)
    return condition()
  }

  func polls(_ count: Int) { for _ in 0..<count { loop.turn(mayWait: false) } }

  func close(_ pairs: [(Stream, Stream)]) { close(pairs.flatMap { [$0, $1] }) }

  func close(_ ends: Stream...) { close(ends) }

  private func close(_ ends: [Stream]) {
    for end in ends { driver.close(end.id, reset: false) }
    driver.close(listener, reset: false)
    polls(2)
  }
}

/// Bytes that differ from place to place.
func pattern(_ count: Int, _ start: Int = 0) -> [UInt8] {
  (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}
