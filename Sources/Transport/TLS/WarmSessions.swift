import COpenSSL

/// The sessions of one loop that keep OpenSSL's buffers from record to record.
///
/// The buffers of a session are 34 KiB. To give them back after each record, as idle sessions must, takes a twelfth of what
/// an echo of 64 B costs; to keep them all takes 34 KiB a connection. So a bounded number keeps them, those that are busy:
/// who reads now and then asks for a seat, and gets that of one that has not read since the last who asked there.
struct WarmSessions {
  /// 8.5 MiB, where all of a buffer is used.
  static let seatCount = 256
  /// Of so many reads one asks for a seat, so that a crowd larger than the seats does not take them from each other all
  /// the time.
  static let readsPerRequest: UInt8 = 8

  private var seats: [Unmanaged<TLSSession>?] = []
  private var next = 0

  /// The session has read something.
  mutating func hasRead(_ session: TLSSession) {
    guard session.seat == nil else { return session.hasReadSinceAsked = true }
    session.readCount &+= 1
    if session.readCount.isMultiple(of: Self.readsPerRequest) { request(session) }
  }

  private mutating func request(_ session: TLSSession) {
    if seats.isEmpty { seats = Array(repeating: nil, count: Self.seatCount) }
    let seat = next
    next = (next + 1) % Self.seatCount
    if let holder = seats[seat]?.takeUnretainedValue() {
      guard !holder.hasReadSinceAsked else { return holder.hasReadSinceAsked = false }
      leave(holder)
      holder.releaseBuffers()
    }
    seats[seat] = .passUnretained(session)
    session.seat = seat
    session.hasReadSinceAsked = true
  }

  /// The session ends, or another one has its seat from now on.
  mutating func leave(_ session: TLSSession) {
    guard let seat = session.seat else { return }
    seats[seat] = nil
    session.seat = nil
  }
}

extension TLSSession {
  /// Gives OpenSSL's buffers back, unless the session has a seat; those that hold something stay.
  ///
  /// `SSL_MODE_RELEASE_BUFFERS` would do so by itself, but since OpenSSL 3.2 it cannot be switched off any more once there
  /// are buffers.
  func releaseBuffers() {
    if seat == nil, isBetweenRecords { _ = SSL_free_buffers(ssl) }
  }

  /// Within a record OpenSSL before 3.0.14, 3.1.6 and 3.2.2 frees what it reads into all the same (CVE-2024-4741).
  private var isBetweenRecords: Bool {
    // "RH": it reads a header; "RB": a body. In a header the buffer is not empty, which is seen to.
    SSL_rstate_string(ssl)[1] == UInt8(ascii: "H")
  }
}
