import WebSocketCore

/// Hears what becomes of responses whose bodies are written over time, see ``HTTPExchange/stream(status:fields:maximumQueuedBytes:to:)``.
///
/// One handler may serve any number of them. Methods run on the stream's loop and must not block it.
open class HTTPStreamHandler {
  /// Makes a handler that ignores everything.
  public init() {}

  /// The queue has emptied after the kernel had refused to take more.
  open func drained(_ stream: HTTPResponseStream) {}

  /// The server wants to shut down: whoever needs to say something says it now, and ends the body. As it stands here it is
  /// ended at once.
  ///
  /// - Parameters:
  ///   - stream: the response.
  ///   - code: the close code that WebSockets are sent.
  ///   - reason: the reason beside it.
  open func serverEnds(_ stream: HTTPResponseStream, code: CloseCode, reason: String) { stream.end() }

  /// The client has gone before the body's end: the last call, made once. Not made after ``HTTPResponseStream/end()``.
  open func closed(_ stream: HTTPResponseStream) {}
}
