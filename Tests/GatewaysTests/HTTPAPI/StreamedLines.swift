import WebSockets

@testable import Gateways

extension HTTPAPI {
  /// A stream whose body is there whole.
  func stream(_ text: [UInt8], summarized: Bool, _ done: @escaping (HTTPResponse) -> Void) {
    let lines = PublicationLines(self, StreamAnswers(isSummarized: summarized), done: done)
    text.withUnsafeBytes { lines.take($0) }
    lines.end()
  }
}
