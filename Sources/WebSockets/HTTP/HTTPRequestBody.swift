/// The body of a request on its way. Loop-confined, like the exchange that it belongs to.
///
/// It waits until it is read, and whenever its reader wishes: the client is held back meanwhile, so that a body of any length
/// takes no more memory than what one read brings.
public final class HTTPRequestBody: @unchecked Sendable {
  /// Nil when the body has ended, or will not come any more.
  private var connection: HTTPServerConnection?
  private var handler: HTTPBodyHandler?
  private(set) var isHeld = true

  init(_ connection: HTTPServerConnection) { self.connection = connection }

  /// Whether there is more to come.
  public var isOpen: Bool { connection != nil }

  /// Begins to read. A body has one reader.
  public func read(by handler: HTTPBodyHandler) {
    guard self.handler == nil, let connection else { return }
    self.handler = handler
    isHeld = false
    connection.bodyGoesOn()
  }

  /// Holds the client back.
  public func pause() {
    guard let connection, !isHeld else { return }
    isHeld = true
    connection.bodyPauses()
  }

  /// Reads on; pieces may come before it returns.
  public func resume() {
    guard let connection, isHeld, handler != nil else { return }
    isHeld = false
    connection.bodyGoesOn()
  }

  func deliver(_ bytes: UnsafeRawBufferPointer) { handler?.received(bytes, of: self) }

  func finish() {
    let handler = take()
    handler?.ended(self)
  }

  /// The rest will not come.
  func lose() {
    let handler = take()
    handler?.closed(self)
  }

  private func take() -> HTTPBodyHandler? {
    connection = nil
    defer { handler = nil }
    return handler
  }
}

/// Reads the body of a request. Methods run on the connection's loop and must not block it.
open class HTTPBodyHandler {
  /// Makes a handler that ignores everything.
  public init() {}

  /// A piece has arrived; valid during the call. No other comes while the body is paused.
  open func received(_ bytes: UnsafeRawBufferPointer, of body: HTTPRequestBody) {}

  /// The body is whole: the last call.
  open func ended(_ body: HTTPRequestBody) {}

  /// The rest will not come: the client has gone, was too slow, or broke the protocol, or the request was answered. The last
  /// call.
  open func closed(_ body: HTTPRequestBody) {}
}
