import CLinux

/// What epoll reported, and what the kernel answered.
extension EpollDriver {
  func accept(_ id: RegistrationID) {
    for number in 0..<Self.acceptBatch {
      if number >= Self.leastAcceptBatch, loop.isTurnLong { return }
      // The target may close its listener in `accepted`.
      guard isRegistered(id), let target = slots[Int(id.index)].target?.takeUnretainedValue() else { return }
      var storage = sockaddr_storage()
      var count: UInt32 = 0
      let fd = clinux_accept(slots[Int(id.index)].fd, &storage, &count)
      switch fd {
      case 0...:
        let peer = withUnsafeBytes(of: &storage) {
          SocketAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(count))))
        }
        target.accepted(table.insert(fd, .stream, target: nil), from: peer ?? .unix(""))
      case -EAGAIN:
        return
      case -EINTR, -ECONNABORTED, -EPROTO, -EPERM, -ENETDOWN, -EHOSTUNREACH, -ENETUNREACH:
        continue  // one connection that died in the queue; the next may be well
      default:
        // Whatever else it is, trying again at once would spin.
        starve(id)
        target.acceptFailed(-fd)
        return
      }
    }
  }

  func completeConnect(_ id: RegistrationID) {
    let index = Int(id.index)
    let error = clinux_socket_error(slots[index].fd)
    if error == 0 {
      slots[index].kind = .stream
      watch(id, 0)
    }
    slots[index].target?.takeUnretainedValue().connectCompleted(error)
  }

  func handleStream(_ id: RegistrationID, _ flags: UInt32) {
    let watched = slots[Int(id.index)].events ?? 0
    if flags & clinux_EPOLLOUT != 0 {
      watch(id, watched & ~clinux_EPOLLOUT)
      slots[Int(id.index)].target?._withUnsafeGuaranteedRef { $0.writeCompleted(0) }
      guard isRegistered(id) else { return }
    }
    if watched & clinux_EPOLLIN != 0 {
      if flags & (clinux_EPOLLIN | clinux_EPOLLERR | clinux_EPOLLHUP) != 0 { receive(id) }
    } else if flags & clinux_EPOLLERR != 0 {
      let error = clinux_socket_error(slots[Int(id.index)].fd)
      slots[Int(id.index)].target?.takeUnretainedValue().failed(error == 0 ? ECONNRESET : error)
    } else if flags & clinux_EPOLLHUP != 0 {
      // Both directions are over while reading is paused: epoll would report it for ever.
      watch(id, nil)
    }
  }

  func receive(_ id: RegistrationID) {
    let index = Int(id.index)
    guard slots[index].events.map({ $0 & clinux_EPOLLIN != 0 }) == true, let target = slots[index].target
    else { return }
    let count = Int(clinux_receive(slots[index].fd, receiveBuffer.baseAddress, receiveBuffer.count))
    switch count {
    case 1...:
      target._withUnsafeGuaranteedRef {
        $0.received(UnsafeMutableRawBufferPointer(start: receiveBuffer.baseAddress, count: count))
      }
    case 0:
      target.takeUnretainedValue().receivedEnd()
      // Most close then. Others would be told of the end for ever.
      if isRegistered(id) { watch(id, (slots[index].events ?? 0) & ~clinux_EPOLLIN) }
    case -Int(EAGAIN), -Int(EINTR):
      break
    default:
      watch(id, nil)
      target.takeUnretainedValue().failed(Int32(-count))
    }
  }

  func wrote(_ count: Int, of total: Int, _ id: RegistrationID) -> WriteResult {
    if count == total { return .wrote(count) }
    if count < 0, count != -Int(EAGAIN), count != -Int(EINTR), count != -Int(ENOBUFS) {
      return .failed(Int32(-count))
    }
    watch(id, (slots[Int(id.index)].events ?? 0) | clinux_EPOLLOUT)
    return count < 0 ? .pending : .wrote(count)
  }
}
