import CLinux

/// The loop's turn: submit, wait, and hand out completions.
extension IOUringDriver {
  func completeTurn(until deadline: UInt64?, at time: UInt64) {
    enable()
    let mustWait = waiting.isEmpty && backlogHead == backlog.count && ring.head == ring.end
    if mustWait || ring.unsubmittedCount > 0 || ring.needsEnter {
      submitAndWait(nanoseconds: mustWait ? nanoseconds(until: deadline, at: time) : 0)
    }
    updateTime()
    resumeWaiting()
    handOut()
    buffers.publish()
  }

  private func nanoseconds(until deadline: UInt64?, at time: UInt64) -> Int64 {
    guard let deadline else { return -1 }
    let left = deadline.subtractingOrZero(time)
    return Int64(clamping: min(left, 1 << 40)) * 1_000_000
  }

  private func submitAndWait(nanoseconds: Int64) {
    // Nothing to submit, nothing due, nothing to wait for: no system call.
    if nanoseconds == 0, ring.unsubmittedCount == 0, !ring.needsEnter { return }
    _ = ring.submitAndWait(nanoseconds: nanoseconds)
    // Rare: memory was short, or completions had no room. What is left must be told before anything else happens.
    if ring.unsubmittedCount > 0 { return submit() }
    settleSends()
  }

  /// Hands out what is there now, as far as there is time; what comes meanwhile belongs to the next turn.
  private func handOut(isLast: Bool = false) {
    var left = Int(ring.end &- ring.head) + backlog.count - backlogHead
    var time = HandlingTime()
    while left > 0, !time.isOver, let completion = nextCompletion() {
      left -= 1
      handle(completion)
      if !isLast { time.count(loop) }
    }
    guard !backlog.isEmpty, backlogHead == backlog.count else { return }
    backlog = []
    backlogHead = 0
  }

  private func nextCompletion() -> clinux_completion? {
    guard backlogHead < backlog.count else { return ring.take() }
    defer { backlogHead += 1 }
    return backlog[backlogHead]
  }

  private func handle(_ completion: clinux_completion) {
    let (operation, id) = Self.parts(completion.name)
    switch operation {
    case .none, .send: return  // failed sends were told when they were submitted
    case .receive: return receiveCompleted(id, completion)
    case .readable: return readableCompleted(id, completion)
    case .accept: return acceptCompleted(id, completion)
    case .wake:
      guard completion.flags & clinux_CQE_MORE == 0 else { return }
      armedCount -= 1
      armWake()
    case .writable, .failure:
      armedCount -= 1
      guard isRegistered(id) else { return }
      slots[Int(id.index)].armed.remove(Armed(operation))
      pollCompleted(id, operation, completion.result)
    }
  }

  private func pollCompleted(_ id: RegistrationID, _ operation: Operation, _ result: Int32) {
    let index = Int(id.index)
    switch (operation, slots[index].kind) {
    case (.writable, .connecting): completeConnect(id)
    case (.writable, .stream): target(id)?.writeCompleted(0)
    case (.failure, .stream):
      // A hang-up alone is no error; while receiving, the receive tells.
      guard !slots[index].isReading || slots[index].endReported, result > 0,
        UInt32(bitPattern: result) & clinux_POLLERR != 0
      else { return }
      let error = clinux_socket_error(slots[index].fd)
      target(id)?.failed(error == 0 ? ECONNRESET : error)
    default: return
    }
  }

  /// Ends what the kernel still has after everything was closed, so that every socket is let go of.
  func finish() {
    var attempts = 0
    while armedCount > (isEnabled ? 1 : 0), attempts < 1_000 {
      _ = ring.submitAndWait(nanoseconds: 1_000_000)
      settleSends()
      handOut(isLast: true)
      attempts += 1
    }
  }
}
