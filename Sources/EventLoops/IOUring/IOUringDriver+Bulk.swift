import CLinux

/// Connections that bring much at a time are read as with epoll: when the kernel says that there is something, by a
/// system call into one buffer for all of them, which is handled while it is in the processor's cache. Measured: 16 KiB
/// messages cost a quarter more when twenty of them are received before the first is handled.
extension IOUringDriver {
  static let bulkBufferByteCount = 512 * 1024
  /// A receive of so many bytes is large.
  static let largeByteCount = 8_192
  /// So many large ones in a row, and a connection is read in bulk; so many that are not, and it no longer is.
  static let largeCount: UInt8 = 4
  static let smallCount: UInt8 = 64

  /// Counts towards the other way of reading; true when it is time to change.
  func countReceive(_ index: Int, _ byteCount: Int) -> Bool {
    guard (byteCount >= Self.largeByteCount) != slots[index].isBulk else {
      slots[index].otherCount = 0
      return false
    }
    slots[index].otherCount += 1
    guard slots[index].otherCount == (slots[index].isBulk ? Self.smallCount : Self.largeCount) else {
      return false
    }
    slots[index].otherCount = 0
    return true
  }

  /// Ends the one way of reading; its end begins the other.
  func changeReading(_ id: RegistrationID) {
    let index = Int(id.index)
    cancelReading(id)
    slots[index].isBulk.toggle()
    if bulkBuffer.isEmpty { bulkBuffer = .allocate(byteCount: Self.bulkBufferByteCount, alignment: 64) }
    if slots[index].armed.isDisjoint(with: [.receive, .readable]) { waiting.append(id) }
  }

  func readableCompleted(_ id: RegistrationID, _ completion: clinux_completion) {
    let isLast = completion.flags & clinux_CQE_MORE == 0
    if isLast { armedCount -= 1 }
    guard isRegistered(id) else { return }
    let index = Int(id.index)
    if isLast {
      slots[index].armed.remove(.readable)
      slots[index].isCancelling = false
    }
    if completion.result > 0, slots[index].isReading, slots[index].isBulk {
      read(id)
      // The end may have come with the last bytes: it is what the next read finds.
      let hasEnded = UInt32(bitPattern: completion.result) & ~clinux_POLLIN != 0
      if hasEnded, isRegistered(id), slots[index].isReading { waiting.append(id) }
    }
    if isLast, isRegistered(id) { receiveAgain(id) }
  }

  /// One read; what is left then is read in the next turn, so that others have theirs.
  func read(_ id: RegistrationID) {
    let index = Int(id.index)
    let count = Int(clinux_receive(slots[index].fd, bulkBuffer.baseAddress, bulkBuffer.count))
    switch count {
    case 1...:
      let bytes = UnsafeMutableRawBufferPointer(start: bulkBuffer.baseAddress, count: count)
      slots[index].target?._withUnsafeGuaranteedRef { $0.received(bytes) }
      guard isRegistered(id), slots[index].isReading else { return }
      if countReceive(index, count) {
        changeReading(id)
      } else if count == bulkBuffer.count {
        waiting.append(id)
      }
    case 0:
      cancelReading(id)
      reportEnd(id)
    case -Int(EAGAIN), -Int(EINTR):
      return
    default:
      target(id)?.failed(Int32(-count))
    }
  }
}
