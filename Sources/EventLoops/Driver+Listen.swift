import CLinux

/// Sockets as every driver over the kernel makes them.
extension Driver {
  /// A socket that listens.
  func makeListener(on address: SocketAddress, _ settings: ListenSettings) throws(IOError) -> Int32 {
    let fd = clinux_socket(address.family)
    guard fd >= 0 else { throw IOError(errno: -fd) }
    let status = bindAndListen(fd, address, settings)
    guard status >= 0 else {
      clinux_close(fd)
      throw IOError(errno: -status)
    }
    return fd
  }

  func prepareAdopted(_ descriptor: Int32, _ settings: ListenSettings) {
    clinux_prepare_adopted(descriptor)
    // A Unix socket refuses them, which is as well.
    _ = setTCPOptions(descriptor, settings)
  }

  /// A socket that is writable when the connect has ended.
  func startConnecting(to address: SocketAddress, from source: SocketAddress?) throws(IOError) -> Int32 {
    if let source, source.family != address.family { throw IOError(errno: EAFNOSUPPORT) }
    let fd = clinux_socket(address.family)
    guard fd >= 0 else { throw IOError(errno: -fd) }
    if case .unix = address {} else { _ = clinux_set_no_delay(fd) }
    var status = source.map { bind(fd, to: $0) } ?? 0
    if status == 0 { status = address.withSockaddr { clinux_connect(fd, $0, $1) } ?? -ENAMETOOLONG }
    guard status == 0 || status == -EINPROGRESS else {
      clinux_close(fd)
      throw IOError(errno: -status)
    }
    return fd
  }

  private func bind(_ fd: Int32, to source: SocketAddress) -> Int32 {
    if source.port == 0 { _ = clinux_set_bind_without_port(fd) }
    return source.withSockaddr { clinux_bind(fd, $0, $1) } ?? -ENAMETOOLONG
  }

  func localAddress(of fd: Int32) -> SocketAddress? {
    var storage = sockaddr_storage()
    var count: UInt32 = 0
    guard clinux_local_name(fd, &storage, &count) == 0 else { return nil }
    return withUnsafeBytes(of: &storage) {
      SocketAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(count))))
    }
  }

  // MARK: options, which accepted connections inherit

  private func bindAndListen(_ fd: Int32, _ address: SocketAddress, _ settings: ListenSettings) -> Int32 {
    if case .unix = address {
    } else {
      var status = clinux_set_reuse_address(fd)
      if status == 0, settings.sharesPort { status = clinux_set_reuse_port(fd) }
      // One socket a family: `::` must not also take the IPv4 port that the next address binds.
      if status == 0, case .ipv6 = address { status = clinux_set_ipv6_only(fd, 1) }
      if status == 0 { status = setTCPOptions(fd, settings) }
      if status < 0 { return status }
    }
    let bound = address.withSockaddr { clinux_bind(fd, $0, $1) } ?? -ENAMETOOLONG
    if bound < 0 { return bound }
    if case .unix(let path) = address, let mode = settings.unixMode {
      // Before anybody can connect.
      let status = clinux_chmod(path, mode)
      if status < 0 { return status }
    }
    return clinux_listen(fd, settings.backlog)
  }

  private func setTCPOptions(_ fd: Int32, _ settings: ListenSettings) -> Int32 {
    var status = clinux_set_no_delay(fd)
    if status == 0, settings.keepaliveIdleSeconds > 0 {
      status = clinux_set_keepalive(
        fd, settings.keepaliveIdleSeconds, settings.keepaliveIntervalSeconds, settings.keepaliveProbeCount)
    }
    if status == 0, settings.userTimeoutMilliseconds > 0 {
      status = clinux_set_user_timeout(fd, settings.userTimeoutMilliseconds)
    }
    return status
  }
}
