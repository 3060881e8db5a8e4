import Bytes
import HTTPCore
import JSON
import Realtime
import WebSockets

/// `POST <prefix>/stream`: many publications in one request, one JSON object a line, each as the body of `publish`
/// has it. Answered by one line for each, in their order, or with `?summary=1` by how many there were and how many of
/// them failed.
///
/// A line that fails does not keep the others back. The lines are published in their order for each channel.
extension HTTPAPI {
  /// Answers a request that was let in.
  func stream(_ body: [UInt8], summarized: Bool, _ done: @escaping (HTTPResponse) -> Void) {
    let lines = body.split(separator: UInt8(ascii: "\n")).filter { !$0.isEmpty && $0 != [0x0D] }
    guard lines.count <= APILimits.maximumStreamLines else {
      let hint = "There are more than \(APILimits.maximumStreamLines) lines; send them in several requests.\n"
      return done(.text(.contentTooLarge, hint))
    }
    let run = Gathering<APIReply>(count: lines.count) { replies in
      done(summarized ? Self.summary(of: replies) : Self.lines(of: replies))
    }
    for (index, line) in lines.enumerated() {
      switch Self.publication(line) {
      case .failure(let error): run.take(.error(error), at: index)
      case .success(let request): perform(request) { run.take($0, at: index) }
      }
    }
  }

  private static func publication(_ line: ArraySlice<UInt8>) -> Result<APIRequest, APIError> {
    line.withUnsafeBytes { bytes in
      do {
        return try APIRequest.decode(.publish, bytes)
      } catch {
        return .failure(.badRequest("the line is not a publication: \(error)"))
      }
    }
  }

  private static func lines(of replies: [APIReply]) -> HTTPResponse {
    var text: [UInt8] = []
    for reply in replies {
      text += reply.encoded()
      text.append(UInt8(ascii: "\n"))
    }
    var response = HTTPResponse.json(.ok, text)
    response.fields.set("Content-Type", "application/x-ndjson")
    return response
  }

  private static func summary(of replies: [APIReply]) -> HTTPResponse {
    var json = JSONWriter()
    var errors: [(line: Int, error: APIError)] = []
    for (index, reply) in replies.enumerated() {
      if case .error(let error) = reply { errors.append((index + 1, error)) }
    }
    json.beginObject()
    json.key("result")
    json.beginObject()
    json.member("published", replies.count - errors.count)
    json.member("failed", errors.count)
    if let first = errors.first {
      json.key("first_error")
      json.beginObject()
      json.member("line", first.line)
      json.member("code", first.error.code)
      json.member("message", first.error.message)
      json.endObject()
    }
    json.endObject()
    json.endObject()
    return .json(.ok, json.bytes)
  }
}
