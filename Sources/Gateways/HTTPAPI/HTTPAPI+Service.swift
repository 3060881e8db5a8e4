import Bytes
import HTTPCore
import Realtime
import WebSockets

extension HTTPAPI: HTTPService {
  /// Answers one request, at once or when other loops have answered. On a loop of the hub.
  public func handle(_ exchange: HTTPExchange) {
    switch exchange.body.withUnsafeBytes({ call(exchange.head, body: $0) }) {
    case .refuse(let status, let fields, let hint):
      if status == .unauthorized { noteRefusedKey(exchange) }
      var response = HTTPResponse.text(status, hint.isEmpty ? "\(status)\n" : "\(status)\n\(hint)\n")
      for (name, value) in fields { response.fields.append(name, value) }
      exchange.respond(response)
    case .fail(let error):
      exchange.respond(.json(.ok, APIReply.error(error).encoded()))
    case .stream(let isSummarized):
      stream(exchange, summarized: isSummarized)
    case .perform(let request):
      perform(request) { exchange.respond(.json(.ok, $0.encoded())) }
    }
  }

  private func noteRefusedKey(_ exchange: HTTPExchange) {
    log?.write(
      .warning, "a call of the server API has no key that fits", about: .key,
      [.text("path", exchange.head.path), .text("address", exchange.clientAddress.host)])
  }
}
