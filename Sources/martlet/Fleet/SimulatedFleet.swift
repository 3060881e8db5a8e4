import EventLoops

/// The devices of one loop, each with a connection of its own. Loop-confined.
final class SimulatedFleet: @unchecked Sendable {
  /// What there is to tell; added up over the loops.
  struct Figures: Sendable {
    var connected = 0
    /// How often a device has connected, those included that have gone since.
    var arrivals = 0
    var reports = 0
    var lastProblem: String?

    static func + (a: Figures, b: Figures) -> Figures {
      Figures(
        connected: a.connected + b.connected, arrivals: a.arrivals + b.arrivals,
        reports: a.reports + b.reports, lastProblem: a.lastProblem ?? b.lastProblem)
    }
  }

  private let loop: EventLoop
  private var members: [FleetMember] = []
  private(set) var figures = Figures()

  init(loop: EventLoop) { self.loop = loop }

  /// Starts a device after `delay`, so that a fleet does not arrive in one moment.
  func add(_ device: Device, to server: ServerAddress, delay: UInt64, intervalMilliseconds: UInt64) {
    let member = FleetMember(
      device, loop: loop, server: server, intervalMilliseconds: intervalMilliseconds
    ) { [unowned self] change in figures = figures + change }
    members.append(member)
    _ = loop.schedule(after: delay) { member.start() }
  }

  func stop() {
    for member in members { member.stop() }
  }

  /// The figures, and the last problem only once.
  func takeFigures() -> Figures {
    defer { figures.lastProblem = nil }
    return figures
  }
}

/// A device and its connection.
private final class FleetMember: TimerTarget {
  /// Where all devices report.
  static let reports = "devices:all"
  /// Where presence shows which devices there are.
  static let presence = "devices:fleet"

  private var device: Device
  private let loop: EventLoop
  private let intervalMilliseconds: UInt64
  private let tell: (SimulatedFleet.Figures) -> Void
  private var client: RealtimeClient?
  private var timer: TimerID?
  private var isCounted = false

  init(
    _ device: Device, loop: EventLoop, server: ServerAddress, intervalMilliseconds: UInt64,
    tell: @escaping (SimulatedFleet.Figures) -> Void
  ) {
    self.device = device
    self.loop = loop
    self.intervalMilliseconds = intervalMilliseconds
    self.tell = tell
    let session = ClientSession(token: nil, data: ConnectData.user(device.name))
    let client = RealtimeClient(
      loop: loop, url: server.webSocketURL, tls: server.tls, session: session
    ) { [unowned self] in handle($0) }
    client.subscribe(Self.presence)
    self.client = client
  }

  func start() { client?.start() }

  func stop() {
    client?.stop()
    setTimer(nil)
  }

  private func handle(_ event: RealtimeClient.Event) {
    switch event {
    case .session(.connected):
      count(true)
      report()
    case .session(.published): tell(.init(reports: 1))
    case .session(.publishFailed(_, let error)), .session(.subscribeFailed(_, let error)):
      tell(.init(lastProblem: "\(device.name): \(Explanation.of(error))"))
    case .waiting(let reason, _), .ended(let reason):
      count(false)
      setTimer(nil)
      tell(.init(lastProblem: "\(device.name): \(reason)"))
    case .session: break
    }
  }

  private func count(_ isConnected: Bool) {
    guard isConnected != isCounted else { return }
    isCounted = isConnected
    tell(isConnected ? .init(connected: 1, arrivals: 1) : .init(connected: -1))
  }

  private func report() {
    client?.publish(Self.reports, device.report(at: Machine.unixMilliseconds))
    setTimer(intervalMilliseconds)
  }

  private func setTimer(_ milliseconds: UInt64?) {
    if let timer { loop.cancel(timer) }
    timer = milliseconds.map { loop.schedule(after: $0, self, token: 0) }
  }

  func timerFired(_ token: UInt64) {
    timer = nil
    report()
  }
}
