import Bytes
import HTTPCore
import Realtime
import WebSockets

extension HTTPAPI: HTTPService {
  /// Answers one request, at once or when other loops have answered. On a loop of the hub.
  public func handle(_ exchange: HTTPExchange) {
    switch exchange.body.withUnsafeBytes({ call(exchange.head, body: $0) }) {
    case .refuse(let status, let fields, let hint):
      var response = HTTPResponse.text(status, hint.isEmpty ? "\(status)\n" : "\(status)\n\(hint)\n")
      for (name, value) in fields { response.fields.append(name, value) }
      exchange.respond(response)
    case .fail(let error):
      exchange.respond(.json(.ok, APIReply.error(error).encoded()))
    case .stream(let isSummarized):
      stream(exchange.body, summarized: isSummarized) { exchange.respond($0) }
    case .perform(let request):
      perform(request) { exchange.respond(.json(.ok, $0.encoded())) }
    }
  }
}
