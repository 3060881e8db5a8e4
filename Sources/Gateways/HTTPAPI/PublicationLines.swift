import JSON
import Realtime
import WebSockets

/// Publishes lines as they arrive. Loop-confined.
///
/// So many publications are under way at once; further lines wait, and when a read has brought more than that, so does the
/// client. Memory is bounded, however long the stream is.
final class PublicationLines: HTTPBodyHandler {
  private let api: HTTPAPI
  private var answers: StreamAnswers
  /// Nil when the request was answered.
  private var done: ((HTTPResponse) -> Void)?
  private weak var body: HTTPRequestBody?
  /// What has arrived and was not looked at.
  private var text: [UInt8] = []
  /// Bytes at the front of `text` that have no line break.
  private var searched = 0
  /// What arrives belongs to a line that is too long.
  private var isInLongLine = false
  private var hasEnded = false
  private var isWorking = false
  private var underWay = 0

  init(_ api: HTTPAPI, _ answers: StreamAnswers, done: @escaping (HTTPResponse) -> Void) {
    self.api = api
    self.answers = answers
    self.done = done
  }

  override func received(_ bytes: UnsafeRawBufferPointer, of body: HTTPRequestBody) {
    self.body = body
    take(bytes)
  }

  override func ended(_ body: HTTPRequestBody) { end() }

  override func closed(_ body: HTTPRequestBody) {
    // What was published stays; there is nobody to tell.
    done = nil
    text = []
  }

  func take(_ bytes: UnsafeRawBufferPointer) {
    guard done != nil else { return }
    text.append(contentsOf: bytes)
    work()
  }

  func end() {
    hasEnded = true
    work()
  }

  private func work() {
    guard !isWorking, done != nil else { return }
    isWorking = true
    let isWaiting = publishLines()
    isWorking = false
    if underWay == 0, answers.isFull || (hasEnded && !isWaiting) {
      let done = self.done
      self.done = nil
      text = []
      done?(answers.response)
    } else if isWaiting || underWay >= APILimits.maximumStreamUnderWay {
      body?.pause()
    } else {
      body?.resume()
    }
  }

  /// Publishes what may be; true if lines wait for others.
  private func publishLines() -> Bool {
    var start = 0
    defer {
      text.removeFirst(start)
      searched = max(0, searched - start)
    }
    while !answers.isFull {
      guard let end = text[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n")) else {
        searched = text.count
        guard hasEnded, start < text.count else {
          if text.count - start > APILimits.maximumStreamLineBytes { beginLongLine(&start) }
          return false
        }
        guard underWay < APILimits.maximumStreamUnderWay else { return true }
        if !isInLongLine { publish(start..<text.count) }
        start = text.count
        return false
      }
      guard underWay < APILimits.maximumStreamUnderWay else {
        searched = end
        return true
      }
      if isInLongLine { isInLongLine = false } else { publish(start..<end) }
      start = end + 1
      searched = start
    }
    return false
  }

  /// The rest of the line is passed over.
  private func beginLongLine(_ start: inout Int) {
    if !isInLongLine, let line = answers.nextIfAny() { answers.take(.error(Self.lineTooLong), line) }
    isInLongLine = true
    start = text.count
  }

  private func publish(_ range: Range<Int>) {
    guard !range.isEmpty, text[range] != [0x0D] else { return }
    guard let line = answers.nextIfAny() else { return }
    guard range.count <= APILimits.maximumStreamLineBytes else {
      return answers.take(.error(Self.lineTooLong), line)
    }
    switch request(range) {
    case .failure(let error): answers.take(.error(error), line)
    case .success(let request):
      underWay += 1
      api.perform(request) { [self] reply in
        underWay -= 1
        answers.take(reply, line)
        // Not for each: the client is let go on when there is room for many.
        if underWay <= APILimits.maximumStreamUnderWay / 2 { work() }
      }
    }
  }

  private func request(_ range: Range<Int>) -> Result<APIRequest, APIError> {
    text.withUnsafeBytes { bytes in
      do {
        return try APIRequest.decode(.publish, UnsafeRawBufferPointer(rebasing: bytes[range]))
      } catch {
        return .failure(.badRequest("the line is not a publication: \(error)"))
      }
    }
  }

  private static let lineTooLong = APIError.badRequest(
    "the line has more than \(APILimits.maximumStreamLineBytes) bytes")
}
