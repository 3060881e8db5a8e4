import Testing

@testable import Gateways

/// Replies that wait to be acknowledged.
@Suite struct PollQueueTests {
  private func append(_ queue: inout PollQueue, _ texts: String...) {
    for text in texts { Array(text.utf8).withUnsafeBytes { queue.append($0) } }
  }

  private func acknowledge(_ queue: inout PollQueue, _ number: UInt64) -> Bool { queue.acknowledge(number) }

  private func text(_ queue: PollQueue) -> String {
    String(decoding: queue.encoded(session: "0-s"), as: UTF8.self)
  }

  @Test func repliesAreNumbered() {
    var queue = PollQueue()
    #expect(queue.isEmpty && queue.lastNumber == 0)
    #expect(text(queue) == #"{"session":"0-s","from":1,"replies":[]}"#)
    append(&queue, "{}", #"{"a":1}"#)
    #expect(text(queue) == #"{"session":"0-s","from":1,"replies":[{},{"a":1}]}"#)
    #expect(queue.lastNumber == 2 && queue.byteCount == 9)
    #expect(acknowledge(&queue, 1))
    #expect(text(queue) == #"{"session":"0-s","from":2,"replies":[{"a":1}]}"#)
    #expect(queue.byteCount == 7)
    // Late, or again.
    #expect(acknowledge(&queue, 1) && acknowledge(&queue, 0) && queue.lastNumber == 2)
    #expect(acknowledge(&queue, 2) && queue.isEmpty && queue.byteCount == 0)
    append(&queue, "{}")
    #expect(text(queue) == #"{"session":"0-s","from":3,"replies":[{}]}"#)
  }

  @Test(arguments: [3, UInt64.max])
  func whatWasNeverSentCannotBeAcknowledged(number: UInt64) {
    var queue = PollQueue()
    append(&queue, "{}", "{}")
    let isTaken = queue.acknowledge(number)
    #expect(!isTaken)
    #expect(queue.byteCount == 4)
  }

  @Test func requests() throws {
    let poll = try read(#"{"session":"0-s","ack":7,"wait":100,"data":"{}\n{}"}"#) { try PollRequest($0) }
    #expect(poll.session == "0-s" && poll.ack == 7 && poll.wait == 100 && poll.data == Array("{}\n{}".utf8))
    let first = try read(#"{"data":{ "id":1, "connect":{} }}"#) { try PollRequest($0) }
    #expect(first.session == "" && first.wait == nil && first.data == Array(#"{"id":1,"connect":{}}"#.utf8))
    let post = try read(#"{"session":"s","node":"n","data":"{}","more":1}"#) { try EmulationRequest($0) }
    #expect(post.session == "s" && post.node == "n" && post.data == Array("{}".utf8))
    for text in ["", "[]", #"{"session":1}"#, #"{"ack":-1}"#, #"{"wait":"1"}"#, #"{"session":"s"}x"#] {
      #expect(throws: (any Error).self) { try read(text) { try PollRequest($0) } }
    }
  }

  private func read<T>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
    try Array(text.utf8).withUnsafeBytes { try body($0) }
  }
}
