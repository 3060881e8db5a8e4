import CLinux

/// Listening sockets, and connects.
extension IOUringDriver {
  func acceptCompleted(_ id: RegistrationID, _ completion: clinux_completion) {
    let isLast = completion.flags & clinux_CQE_MORE == 0
    if isLast { armedCount -= 1 }
    guard isRegistered(id) else {
      if completion.result >= 0 { clinux_close(completion.result) }
      return
    }
    if isLast { slots[Int(id.index)].armed.remove(.accept) }
    if completion.result >= 0 {
      accepted(completion.result, by: id)
    } else {
      acceptFailed(id, -completion.result)
    }
    if isRegistered(id), slots[Int(id.index)].isReading { arm(.accept, id) }
  }

  private func accepted(_ fd: Int32, by listener: RegistrationID) {
    // An accept that goes on by itself has one place for all addresses, so each is asked for.
    var storage = sockaddr_storage()
    var count: UInt32 = 0
    guard let target = target(listener), clinux_peer_name(fd, &storage, &count) == 0 else {
      return clinux_close(fd)  // it died in the queue
    }
    let peer = withUnsafeBytes(of: &storage) {
      SocketAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(count))))
    }
    target.accepted(table.insert(fd, .stream, target: nil), from: peer ?? .unix(""))
  }

  private func acceptFailed(_ id: RegistrationID, _ error: Int32) {
    switch error {
    case EAGAIN, EINTR, ECANCELED, ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH, ENETUNREACH:
      return  // one connection that died in the queue; the next may be well
    default:
      // Whatever else it is, trying again at once would spin.
      starve(id)
      target(id)?.acceptFailed(error)
    }
  }

  func completeConnect(_ id: RegistrationID) {
    let index = Int(id.index)
    let error = clinux_socket_error(slots[index].fd)
    if error == 0 { slots[index].kind = .stream }
    target(id)?.connectCompleted(error)
  }
}
