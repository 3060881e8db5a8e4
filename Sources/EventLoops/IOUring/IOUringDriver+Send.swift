import Bytes
import CLinux

/// Sending: small writes wait for the next submission, large ones are tried at once.
extension IOUringDriver {
  func hasUnsubmittedSend(_ index: Int) -> Bool { slots[index].sendSubmission == submission }

  /// Readies a connection for a write: what it was to send before has left, and there is room for a request. Nil, or the
  /// result of the write.
  func prepareToSend(_ id: RegistrationID) -> WriteResult? {
    guard isRegistered(id) else { return .failed(EBADF) }
    let index = Int(id.index)
    if hasUnsubmittedSend(index) || ring.isFull {
      submit()
      guard isRegistered(id) else { return .failed(EPIPE) }
    }
    return slots[index].armed.contains(.writable) ? .pending : nil
  }

  /// A copy that stays until the next submission.
  func copyForSend(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer? {
    if let copy = sends.copy(bytes) { return copy }
    submit()
    return sends.copy(bytes)
  }

  func copyForSend(_ pieces: UnsafeMutableBufferPointer<iovec>, count: Int) -> UnsafeRawPointer? {
    if let copy = sends.copy(pieces, count: count) { return copy }
    submit()
    return sends.copy(pieces, count: count)
  }

  /// Queues a send of bytes that stay where they are until it is submitted.
  func queueSend(_ start: UnsafeRawPointer, _ count: Int, _ id: RegistrationID) -> WriteResult {
    let index = Int(id.index)
    let request = nextRequest()
    clinux_request_send(request, slots[index].fd, start, UInt32(count), Self.name(.send, id))
    slots[index].sendStart = start
    slots[index].sendCount = UInt32(count)
    slots[index].sendSubmission = submission
    sendCount += 1
    return .wrote(count)
  }

  /// A send was short or refused. Comes while its bytes are still where they were.
  func sendFailed(_ completion: clinux_completion) {
    let (id, result) = (Self.parts(completion.name).1, completion.result)
    guard isRegistered(id), let start = slots[Int(id.index)].sendStart else { return }
    let index = Int(id.index)
    guard result >= 0 || [-EAGAIN, -EINTR, -ENOBUFS].contains(result) else {
      target(id)?.failed(-result)
      return
    }
    let taken = min(Int(max(result, 0)), Int(slots[index].sendCount))
    let rest = UnsafeRawBufferPointer(start: start + taken, count: Int(slots[index].sendCount) - taken)
    target(id)?.writeReturned(rest)
    if isRegistered(id) { arm(.writable, id) }
  }

  /// What a system call of its own took.
  func wrote(_ count: Int, of total: Int, _ id: RegistrationID) -> WriteResult {
    if count == total { return .wrote(count) }
    if count < 0, count != -Int(EAGAIN), count != -Int(EINTR), count != -Int(ENOBUFS) {
      return .failed(Int32(-count))
    }
    arm(.writable, id)
    return count < 0 ? .pending : .wrote(count)
  }
}
