import CLinux

/// Requests: how they are named, queued and submitted.
extension IOUringDriver {
  /// 32 bits of generation, 4 of operation, 28 of index: more slots than a process has descriptors.
  static func name(_ operation: Operation, _ id: RegistrationID) -> UInt64 {
    UInt64(id.generation) << 32 | operation.rawValue << indexBits | UInt64(id.index)
  }

  static func parts(_ name: UInt64) -> (Operation, RegistrationID) {
    let index = UInt32(truncatingIfNeeded: name & (1 << indexBits - 1))
    return (
      Operation(rawValue: name >> indexBits & 15) ?? .none,
      RegistrationID(index: index, generation: UInt32(truncatingIfNeeded: name >> 32))
    )
  }

  /// Room for a request; submits what is queued if there is none.
  func nextRequest() -> UnsafeMutablePointer<io_uring_sqe> {
    while true {
      if let request = ring.next() { return request }
      submit()
    }
  }

  func arm(_ operation: Operation, _ id: RegistrationID) {
    let index = Int(id.index)
    guard !slots[index].armed.contains(Armed(operation)) else { return }
    let request = nextRequest()
    slots[index].armed.insert(Armed(operation))
    armedCount += 1
    let (fd, name) = (slots[index].fd, Self.name(operation, id))
    switch operation {
    case .accept: clinux_request_accept(request, fd, name)
    case .receive: clinux_request_receive(request, fd, name)
    // Tells once for each time that something arrives.
    case .readable: clinux_request_poll(request, fd, clinux_POLLIN | clinux_POLLRDHUP, 1, name)
    case .writable: clinux_request_poll(request, fd, clinux_POLLOUT, 0, name)
    // Errors are always looked for.
    case .failure: clinux_request_poll(request, fd, 0, 0, name)
    case .none, .wake, .send: preconditionFailure("not a request that stays")
    }
  }

  func cancel(_ operation: Operation, _ id: RegistrationID) {
    clinux_request_cancel(nextRequest(), Self.name(operation, id), 0)
  }

  func armWake() {
    armedCount += 1
    clinux_request_poll(
      nextRequest(), wakeDescriptor, clinux_POLLIN, 1,
      Self.name(.wake, RegistrationID(index: 0, generation: 0)))
  }

  /// Submits what is queued without waiting for the loop's next turn; with `finishing` the kernel also does what became
  /// due by it, such as letting go of a socket.
  func submit(finishing: Bool = false) {
    enable()
    var attempts = 0
    repeat {
      _ = finishing || attempts > 0 ? ring.submitAndWait(nanoseconds: 0) : ring.submit()
      attempts += 1
      // Memory was short, or completions have no room: fetched, they let the next attempt succeed.
      if ring.unsubmittedCount > 0 { makeRoom() }
      precondition(attempts < 100_000, "The kernel takes no requests (io_uring_enter).")
    } while ring.unsubmittedCount > 0
    settleSends()
  }

  /// Makes the calling thread the ring's.
  func enable() {
    guard !isEnabled else { return }
    isEnabled = true
    let status = clinux_uring_enable(ring.fd)
    precondition(status >= 0, "The kernel did not start a ring (errno \(-status)).")
    armWake()
  }

  /// Takes all completions off the ring.
  private func makeRoom() {
    while let completion = ring.take() { backlog.append(completion) }
    searchedEnd = ring.head
    backlogSearched = backlogHead
  }

  /// All sends have been done: those that failed are told, and their bytes given back, before the memory is used again.
  func settleSends() {
    guard !isSettling else { return }
    guard sendCount > 0 else {
      searchedEnd = ring.end
      return
    }
    isSettling = true
    sendCount = 0
    submission &+= 1
    searchFailedSends()
    while ring.isOverflown {
      makeRoom()
      _ = ring.submitAndWait(nanoseconds: 0)
      searchFailedSends()
    }
    sends.removeAll()
    isSettling = false
  }

  private func searchFailedSends() {
    while backlogSearched < backlog.count {
      let place = backlogSearched
      backlogSearched += 1
      let completion = backlog[place]
      if Self.parts(completion.name).0 == .send {
        backlog[place].name = 0
        sendFailed(completion)
      }
    }
    while searchedEnd != ring.end {
      let completion = ring[searchedEnd]
      if Self.parts(completion.name).0 == .send {
        // Told once only.
        ring[searchedEnd] = clinux_completion()
        sendFailed(completion)
      }
      searchedEnd &+= 1
    }
  }
}
