import HTTPCore
import Realtime
import WebSockets

/// `POST <prefix>/stream`: many publications in one request, one JSON object a line, each as the body of `publish`
/// has it. Answered by one line for each, in their order, or with `?summary=1` by how many there were and which of them
/// failed.
///
/// A line that fails does not keep the others back. The lines are published in their order for each channel, as they
/// arrive.
extension HTTPAPI {
  /// Lines are read as they arrive.
  public func streamsBody(of head: HTTPRequestHead) -> Bool {
    head.method == .post && methodName(of: head) == Self.stream
  }

  /// Answers a request that was let in.
  func stream(_ exchange: HTTPExchange, summarized: Bool) {
    let lines = PublicationLines(self, StreamAnswers(isSummarized: summarized)) { exchange.respond($0) }
    if let body = exchange.incomingBody {
      body.read(by: lines)
    } else {
      exchange.body.withUnsafeBytes { lines.take($0) }
      lines.end()
    }
  }
}
