import HTTPCore
import JSON
import Realtime
import WebSockets

/// What became of the lines of a stream: of each, or how many there were and which ones failed first. Of bounded size.
struct StreamAnswers {
  private let isSummarized: Bool
  private var lineCount = 0
  /// In the order of the lines; nil while a line is under way. Empty for a summary.
  private var replies: [APIReply?] = []
  private var published = 0
  private var failed = 0
  /// The first ones, by their lines.
  private var errors: [(line: Int, error: APIError)] = []
  /// Whether there was a line too many.
  private(set) var isFull = false

  init(isSummarized: Bool) { self.isSummarized = isSummarized }

  /// The number of the next line, from 1 on; nil if there must not be any more.
  mutating func nextIfAny() -> Int? {
    guard isSummarized || lineCount < APILimits.maximumStreamLines else {
      isFull = true
      return nil
    }
    lineCount += 1
    if !isSummarized { replies.append(nil) }
    return lineCount
  }

  mutating func take(_ reply: APIReply, _ line: Int) {
    if !isSummarized {
      replies[line - 1] = reply
    } else if case .error(let error) = reply {
      failed += 1
      let index = errors.firstIndex { $0.line > line } ?? errors.count
      guard index < APILimits.maximumStreamErrors else { return }
      errors.insert((line, error), at: index)
      if errors.count > APILimits.maximumStreamErrors { errors.removeLast() }
    } else {
      published += 1
    }
  }

  var response: HTTPResponse { isSummarized ? summary : lines }

  private var lines: HTTPResponse {
    var text: [UInt8] = []
    for reply in replies {
      text += (reply ?? .error(.internalError)).encoded()
      text.append(UInt8(ascii: "\n"))
    }
    if isFull {
      text += APIReply.error(.tooManyLines).encoded()
      text.append(UInt8(ascii: "\n"))
    }
    var response = HTTPResponse.json(isFull ? .contentTooLarge : .ok, text)
    response.fields.set("Content-Type", "application/x-ndjson")
    return response
  }

  private var summary: HTTPResponse {
    var json = JSONWriter()
    json.beginObject()
    json.key("result")
    json.beginObject()
    json.member("published", published)
    json.member("failed", failed)
    if let first = errors.first {
      json.key("first_error")
      Self.write(first, to: &json)
      json.key("errors")
      json.array(errors) { json, entry in Self.write(entry, to: &json) }
    }
    json.endObject()
    json.endObject()
    return .json(.ok, json.bytes)
  }

  private static func write(_ entry: (line: Int, error: APIError), to json: inout JSONWriter) {
    json.beginObject()
    json.member("line", entry.line)
    json.member("code", entry.error.code)
    json.member("message", entry.error.message)
    json.endObject()
  }
}
