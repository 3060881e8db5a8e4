import CLinux
import EventLoops

extension Listener {
  /// Listens on sockets that were passed to this program, by systemd or another parent: each must be a stream socket
  /// (TCP or Unix) that is bound and listens already. The listener owns the descriptors from now on, and closes them
  /// when it stops; a Unix socket's file stays, for whoever made it.
  ///
  /// - Throws: `invalidAddress` if a descriptor is not such a socket; the descriptors are then left as they are.
  public static func adopt(
    _ descriptors: [Int32], group: EventLoopGroup, options: ListenerOptions = ListenerOptions(),
    makeHandler: @escaping MakeHandler
  ) async throws(TransportError) -> Listener {
    for descriptor in descriptors { try check(descriptor) }
    guard !descriptors.isEmpty else { throw .listening(on: "no descriptor", errno: EINVAL) }
    let admission = ConnectionAdmission(options)
    let settings = ListenSettings(options, sharesPort: false)
    var addresses: [SocketAddress] = []
    var all: [LoopListener] = []
    for (index, descriptor) in descriptors.enumerated() {
      let parts = group.loops.map { LoopListener($0, .unix(""), options, admission, makeHandler) }
      let owner = parts[index % parts.count]
      let address = await onLoop(owner) { $0.adopt(descriptor, settings) }
      await share(owner: owner, among: parts)
      addresses.append(address)
      all += parts
    }
    return Listener(addresses: addresses, parts: all)
  }

  private static func check(_ descriptor: Int32) throws(TransportError) {
    let status = clinux_check_listening(descriptor)
    guard status < 0 else { return }
    throw TransportError(
      .invalidAddress,
      "Cannot listen on descriptor \(descriptor): it is not a listening stream socket"
        + " (\(TransportError.text(of: -status))).",
      errno: -status)
  }
}

extension LoopListener {
  /// Takes a listening socket; accepting starts with `resume`.
  func adopt(_ descriptor: Int32, _ settings: ListenSettings) -> SocketAddress {
    id = loop.driver.adoptListener(descriptor, settings, target: self)
    address = loop.driver.localAddress(of: id) ?? address
    return address
  }
}
