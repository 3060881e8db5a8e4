import CLinux

/// Options of listening sockets, which the connections they accept inherit.
extension EpollDriver {
  func bindAndListen(_ fd: Int32, _ address: SocketAddress, _ settings: ListenSettings) -> Int32 {
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

  func setTCPOptions(_ fd: Int32, _ settings: ListenSettings) -> Int32 {
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
