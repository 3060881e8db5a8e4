import Glibc

/// The time of day, for `Date` fields.
enum WallClock {
  /// Seconds since 1970-01-01 UTC.
  static var seconds: Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec)
  }
}
