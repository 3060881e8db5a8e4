import CLinux
import EventLoops

/// One try to connect, over all addresses of a host (RFC 8305, simplified). Loop-confined.
///
/// IPv6 and IPv4 take turns, beginning with the family that the system puts first. Each address is tried when the one
/// before has failed, or after a short delay beside it, so that a dead route costs little. The first that connects
/// wins, and the others are closed.
public final class ConnectionAttempt: TimerTarget, @unchecked Sendable {
  /// How long an address has the stage for itself: 250 ms (RFC 8305 §5, "Connection Attempt Delay").
  public static let delayMilliseconds: UInt64 = 250

  private enum Token {
    static let deadline: UInt64 = 0
    static let nextAddress: UInt64 = 1
  }

  private let loop: EventLoop
  private let place: String
  private let source: SocketAddress?
  private var handler: ConnectionHandler?
  private var done: ((Result<Connection, TransportError>) -> Void)?
  private var addresses: ArraySlice<SocketAddress> = []
  private var underWay: [AddressAttempt] = []
  private var deadlineTimer = TimerID.none
  private var nextTimer = TimerID.none
  /// The error that says most about why.
  private var error: Int32 = 0

  init(
    loop: EventLoop, place: String, from source: SocketAddress? = nil, timeoutMilliseconds: UInt64,
    handler: ConnectionHandler, _ done: @escaping (Result<Connection, TransportError>) -> Void
  ) {
    assert(loop.isCurrent)
    self.loop = loop
    self.place = place
    self.source = source
    self.handler = handler
    self.done = done
    deadlineTimer = loop.schedule(after: timeoutMilliseconds, self, token: Token.deadline)
  }

  /// Gives up; `done` hears `cancelled`. Nothing happens if the attempt has ended.
  public func cancel() {
    assert(loop.isCurrent)
    end(.failure(TransportError(.cancelled, "Connecting to \(place) was cancelled.")))
  }

  func resolved(_ answer: Result<[SocketAddress], TransportError>) {
    guard done != nil else { return }
    switch answer {
    case .success(let found):
      addresses = Self.interleaved(found)[...]
      tryNext()
    case .failure(let error):
      end(.failure(error))
    }
  }

  /// RFC 8305 §4: the families take turns, each in the order in which its addresses came.
  static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
    let isFirstFamily = { (address: SocketAddress) in address.isIPv6 == addresses.first?.isIPv6 }
    var (first, second) = (addresses.filter(isFirstFamily)[...], addresses.filter { !isFirstFamily($0) }[...])
    var result: [SocketAddress] = []
    while !first.isEmpty || !second.isEmpty {
      if let address = first.popFirst() { result.append(address) }
      if let address = second.popFirst() { result.append(address) }
    }
    return result
  }

  private func tryNext() {
    loop.cancel(nextTimer)
    while let address = addresses.popFirst() {
      let attempt = AddressAttempt(address, of: self)
      do throws(IOError) {
        attempt.id = try loop.driver.connect(to: address, from: source, target: attempt)
      } catch {
        note(error.errno)
        continue
      }
      underWay.append(attempt)
      if !addresses.isEmpty {
        nextTimer = loop.schedule(after: Self.delayMilliseconds, self, token: Token.nextAddress)
      }
      return
    }
    guard underWay.isEmpty else { return }
    // Later: `done` is not to be called inside the call that started the attempt.
    loop.execute { self.fail() }
  }

  /// An address without a route says less than one where somebody answered.
  private func note(_ errno: Int32) {
    let isVague = [ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT].contains(errno)
    if error == 0 || !isVague { error = errno }
  }

  fileprivate func completed(_ attempt: AddressAttempt, _ errno: Int32) {
    guard done != nil, let index = underWay.firstIndex(where: { $0 === attempt }) else { return }
    underWay.remove(at: index)
    guard errno == 0, let handler else {
      loop.driver.close(attempt.id, reset: false)
      note(errno)
      return tryNext()
    }
    let connection = Connection(loop: loop, id: attempt.id, peer: attempt.address, handler: handler)
    abandonOthers()
    connection.start()
    end(.success(connection))
  }

  /// For the loop: an address has had its time alone, or the time for all is over.
  public func timerFired(_ token: UInt64) {
    if token == Token.nextAddress { return tryNext() }
    if !underWay.isEmpty || error == 0 { error = ETIMEDOUT }
    fail()
  }

  private func fail() { end(.failure(TransportError.connecting(to: place, from: source, errno: error))) }

  private func abandonOthers() {
    loop.cancel(nextTimer)
    loop.cancel(deadlineTimer)
    addresses = []
    for attempt in underWay { loop.driver.close(attempt.id, reset: false) }
    underWay = []
  }

  private func end(_ result: Result<Connection, TransportError>) {
    guard let done else { return }
    self.done = nil
    handler = nil
    abandonOthers()
    done(result)
  }
}

/// One address of an attempt.
private final class AddressAttempt: IOTarget {
  let address: SocketAddress
  var id = RegistrationID.none
  /// The driver holds this, and this its attempt, until the one or the other ends.
  private let attempt: ConnectionAttempt

  init(_ address: SocketAddress, of attempt: ConnectionAttempt) {
    self.address = address
    self.attempt = attempt
  }

  override func connectCompleted(_ error: Int32) { attempt.completed(self, error) }
  override func failed(_ error: Int32) { attempt.completed(self, error) }
  override func loopStopped() { attempt.cancel() }
}

extension SocketAddress {
  fileprivate var isIPv6: Bool { if case .ipv6 = self { true } else { false } }
}
