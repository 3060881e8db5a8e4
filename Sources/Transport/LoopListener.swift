import EventLoops
import Synchronization

/// The part of a listener on one loop: it accepts there, or gets what the owner of the socket accepts for it.
/// Loop-confined.
package final class LoopListener: IOTarget, @unchecked Sendable {
  /// Connections that are told at once why they cannot stay; more than these are just closed.
  static let maximumRefusedCount = 64

  package let loop: EventLoop
  package internal(set) var address: SocketAddress
  var id = RegistrationID.none
  let options: ListenerOptions
  let admission: ConnectionAdmission?
  /// The parts that the connections of this one's socket are dealt out to, itself among them; empty for a part whose
  /// connections are all its own.
  var recipients: [LoopListener] = []
  private var nextRecipient = 0
  private var refusedCount = 0
  private let makeHandler: @Sendable (EventLoop) -> ConnectionHandler

  init(
    _ loop: EventLoop, _ address: SocketAddress, _ options: ListenerOptions,
    _ admission: ConnectionAdmission?,
    _ makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) {
    self.loop = loop
    self.address = address
    self.options = options
    self.admission = admission
    self.makeHandler = makeHandler
  }

  /// Binds; accepting starts with `resume`.
  package static func start(
    _ loop: EventLoop, _ address: SocketAddress, _ options: ListenerOptions = ListenerOptions(),
    _ makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) -> Result<LoopListener, IOError> {
    let part = LoopListener(loop, address, options, ConnectionAdmission(options), makeHandler)
    return part.bind(ListenSettings(options, sharesPort: false), isFirst: true).map { part }
  }

  func bind(_ settings: ListenSettings, isFirst: Bool) -> Result<Void, IOError> {
    do throws(IOError) {
      // SO_REUSEPORT alone would let a second server of the same user share the port, and half of the connections, in
      // silence. A bind without it first finds that server.
      if settings.sharesPort, isFirst, address.port != 0 {
        let probe = try loop.driver.listen(on: address, ListenSettings(backlog: 1), target: self)
        loop.driver.close(probe, reset: false)
      }
      id = try loop.driver.listen(on: address, settings, target: self)
    } catch {
      return .failure(error)
    }
    if address.port != nil { address = loop.driver.localAddress(of: id) ?? address }
    return .success(())
  }

  package func resume() { loop.driver.resumeAccepting(id) }

  package func close() {
    loop.driver.close(id, reset: false)
    recipients = []
  }

  /// For the driver.
  public override func loopStopped() { recipients = [] }

  // MARK: connections

  /// For the driver.
  public override func accepted(_ id: RegistrationID, from peer: SocketAddress) {
    guard admission?.enter() != false else { return refuse(id, .tooManyConnections) }
    guard !recipients.isEmpty else { return begin(id, from: peer) }
    // Each in turn: connections stay for long, so that an even number of them matters more than a hop at their start.
    let recipient = recipients[nextRecipient % recipients.count]
    nextRecipient = (nextRecipient + 1) % recipients.count
    if recipient === self { return begin(id, from: peer) }
    guard let socket = loop.driver.detach(id) else { return }
    recipient.loop.execute { recipient.begin(recipient.loop.driver.attach(socket), from: peer) }
  }

  private func begin(_ id: RegistrationID, from peer: SocketAddress) {
    guard options.proxyProtocol != .off else { return _ = admit(id, from: peer, proxy: nil) }
    let isRequired = options.proxyProtocol == .required
    if options.trustedProxies.contain(peer) {
      ProxyHeaderReader(listener: self, id: id, peer: peer, isRequired: isRequired)
        .start(timeoutMilliseconds: options.proxyHeaderTimeoutMilliseconds)
    } else if isRequired {
      drop(id, countsProxyHeader: true)
    } else {
      _ = admit(id, from: peer, proxy: nil)
    }
  }

  /// Makes the connection if its client's address has room for it.
  func admit(_ id: RegistrationID, from client: SocketAddress, proxy: SocketAddress?) -> Connection? {
    var isCounted = false
    if let admission, !options.trustedProxies.contain(client) {
      switch admission.enter(client) {
      case .counted: isCounted = true
      case .notCounted: break
      case .refused:
        // First of all: a client that has read the answer may rely on the place.
        admission.leave()
        refuse(id, .tooManyFromAddress)
        return nil
      }
    }
    let connection = Connection(loop: loop, id: id, peer: client, handler: makeHandler(loop), proxy: proxy)
    connection.admission = admission
    if isCounted { connection.flags.insert(.isCountedByAddress) }
    connection.start()
    return connection
  }

  /// Closes what did not begin as it must.
  func drop(_ id: RegistrationID, countsProxyHeader: Bool) {
    if countsProxyHeader { options.counters.badProxyHeaders.wrappingAdd(1, ordering: .relaxed) }
    admission?.leave()
    loop.driver.close(id, reset: false)
  }

  private func refuse(_ id: RegistrationID, _ refusal: ListenerRefusal) {
    options.counters.count(refusal)
    let answer = options.refusalAnswer?(refusal) ?? []
    guard !answer.isEmpty, refusedCount < Self.maximumRefusedCount else {
      return loop.driver.close(id, reset: true)
    }
    refusedCount += 1
    RefusedConnection(loop: loop, id: id) { self.refusedCount -= 1 }.start(answer)
  }
}
