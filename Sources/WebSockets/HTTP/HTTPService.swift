import HTTPCore

/// What a server does with requests.
public protocol HTTPService: AnyObject, Sendable {
  /// Answers a request whose body has arrived whole; called on the connection's loop.
  ///
  /// The exchange is answered now or later, once, by ``HTTPExchange/respond(_:)`` or
  /// ``HTTPExchange/upgrade(to:subprotocol:options:fields:)``. An exchange that is dropped unanswered
  /// answers 500.
  func handle(_ exchange: HTTPExchange)

  /// Whether a request is wanted as soon as its head has arrived, and its body piece by piece, of any length, as
  /// ``HTTPExchange/incomingBody``; called on the connection's loop.
  func streamsBody(of head: HTTPRequestHead) -> Bool
}

extension HTTPService {
  /// No: bodies are collected, and are of bounded length.
  public func streamsBody(of head: HTTPRequestHead) -> Bool { false }
}
