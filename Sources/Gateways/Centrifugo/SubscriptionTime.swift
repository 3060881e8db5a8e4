/// How long a subscription lasts, and how it ends.
struct SubscriptionTime {
  /// In seconds since 1970; nil for ever.
  var end: UInt64?
  /// Whether the server made it: then the connection ends with it (3006), since the client cannot ask for it again.
  var isServerSide = false
  /// Whether the backend prolongs it, rather than the client with a new token.
  var isRefreshedByBackend = false
  /// The backend has been asked, and has not answered.
  var isAsking = false
}
