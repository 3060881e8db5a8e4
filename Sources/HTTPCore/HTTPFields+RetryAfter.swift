extension HTTPFields {
  /// How long a response asks its client to wait before the next request (RFC 9110 §10.2.3), in seconds.
  ///
  /// - Parameter now: the present in seconds since 1970-01-01 UTC. A date is compared with the response's own `Date`
  ///   where it has one, so that clocks need not agree.
  /// - Returns: 0 for a date that has passed; nil if there is no `Retry-After` or it cannot be understood.
  public func retryAfterSeconds(now: Int64) -> UInt64? {
    guard let value = self["Retry-After"] else { return nil }
    if let seconds = ASCII.decimal(value.utf8) { return seconds }
    guard let time = HTTPDate.parse(value, now: now) else { return nil }
    let present = self["Date"].flatMap { HTTPDate.parse($0, now: now) } ?? now
    let (seconds, overflow) = time.subtractingReportingOverflow(present)
    return overflow ? nil : UInt64(clamping: seconds)
  }
}
