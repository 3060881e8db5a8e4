import CLinux

/// What arrived while receiving was paused: the request cannot be taken back as fast as bytes come.
struct HeldInput {
  var bytes: [UInt8] = []
  var hasEnded = false
}

/// Receiving: one request a connection that goes on by itself.
extension IOUringDriver {
  func startReceiving(_ id: RegistrationID) {
    let index = Int(id.index)
    guard !slots[index].isReading, !slots[index].endReported else { return }
    slots[index].isReading = true
    if held[id.index] != nil || slots[index].isBulk {
      waiting.append(id)
    } else {
      arm(.receive, id)
    }
  }

  func cancelReading(_ id: RegistrationID) {
    let index = Int(id.index)
    let isArmed = !slots[index].armed.isDisjoint(with: [.receive, .readable])
    guard isArmed, !slots[index].isCancelling else { return }
    slots[index].isCancelling = true
    cancel(slots[index].armed.contains(.receive) ? .receive : .readable, id)
  }

  func stopReceiving(_ id: RegistrationID) {
    let index = Int(id.index)
    guard slots[index].isReading else { return }
    slots[index].isReading = false
    cancelReading(id)
    // An error is told also while nobody reads.
    arm(.failure, id)
  }

  func receiveCompleted(_ id: RegistrationID, _ completion: clinux_completion) {
    let isLast = completion.flags & clinux_CQE_MORE == 0
    if isLast { armedCount -= 1 }
    guard isRegistered(id) else {
      if completion.flags & clinux_CQE_BUFFER != 0 { buffers.release(completion) }
      return
    }
    if isLast {
      slots[Int(id.index)].armed.remove(.receive)
      slots[Int(id.index)].isCancelling = false
    }
    if completion.flags & clinux_CQE_BUFFER != 0 {
      if completion.result > 0 { deliver(id, completion) }
      buffers.release(completion)
    }
    if completion.result <= 0 { return receiveEnded(id, -completion.result) }
    guard isRegistered(id) else { return }
    if isLast { receiveAgain(id) }
    if !slots[Int(id.index)].isBulk, countReceive(Int(id.index), Int(completion.result)) { changeReading(id) }
  }

  private func deliver(_ id: RegistrationID, _ completion: clinux_completion) {
    let bytes = buffers.bytes(of: completion)
    if slots[Int(id.index)].isReading, held.isEmpty || held[id.index] == nil {
      slots[Int(id.index)].target?._withUnsafeGuaranteedRef { $0.received(bytes) }
    } else {
      held[id.index, default: HeldInput()].bytes += bytes
    }
  }

  /// The receive has ended: the peer's end if `error` is 0.
  private func receiveEnded(_ id: RegistrationID, _ error: Int32) {
    switch error {
    case 0:
      if slots[Int(id.index)].isReading, held[id.index] == nil {
        reportEnd(id)
      } else {
        held[id.index, default: HeldInput()].hasEnded = true
      }
    case ECANCELED, ENOBUFS, EAGAIN, EINTR:
      receiveAgain(id)
    default:
      target(id)?.failed(error)
    }
  }

  /// Arms again at the next turn, when the buffers of this one have come back.
  func receiveAgain(_ id: RegistrationID) {
    let slot = slots[Int(id.index)]
    if slot.isReading, slot.armed.isDisjoint(with: [.receive, .readable]) { waiting.append(id) }
  }

  func reportEnd(_ id: RegistrationID) {
    slots[Int(id.index)].endReported = true
    arm(.failure, id)
    target(id)?.receivedEnd()
  }

  /// Delivers what was held, and arms what has ended for want of buffers.
  func resumeWaiting() {
    guard !waiting.isEmpty else { return }
    swap(&waiting, &waitingBefore)
    for place in waitingBefore.indices {
      let id = waitingBefore[place]
      guard isRegistered(id), slots[Int(id.index)].isReading else { continue }
      if let input = held.removeValue(forKey: id.index), !deliverHeld(input, id) { continue }
      if !slots[Int(id.index)].endReported { beginReading(id) }
    }
    waitingBefore.removeAll(keepingCapacity: true)
  }

  private func beginReading(_ id: RegistrationID) {
    let slot = slots[Int(id.index)]
    if slot.armed.isDisjoint(with: [.receive, .readable]) {
      arm(slot.isBulk ? .readable : .receive, id)
    } else if slot.isCancelling || !slot.isBulk {
      return  // the end of what is cancelled comes back here
    }
    // The poll tells of what comes from now on.
    if slot.isBulk { read(id) }
  }

  /// False when the connection does not read on.
  private func deliverHeld(_ input: HeldInput, _ id: RegistrationID) -> Bool {
    var bytes = input.bytes
    if !bytes.isEmpty { bytes.withUnsafeMutableBytes { target(id)?.received($0) } }
    guard isRegistered(id) else { return false }
    if input.hasEnded, slots[Int(id.index)].isReading {
      reportEnd(id)
      return false
    }
    if input.hasEnded { held[id.index, default: HeldInput()].hasEnded = true }
    return slots[Int(id.index)].isReading
  }
}
