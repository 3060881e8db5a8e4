import Testing

@testable import Gateways

/// Commands that overtake each other.
@Suite struct CommandOrderTests {
  private func take(_ order: inout CommandOrder, _ texts: [String]) -> [String] {
    var performed: [String] = []
    for text in texts {
      Array(text.utf8).withUnsafeBytes {
        order.take($0) { performed.append(String(decoding: $0, as: UTF8.self)) }
      }
    }
    return performed
  }

  private func skip(_ order: inout CommandOrder) -> [String] {
    var performed: [String] = []
    order.skip { performed.append(String(decoding: $0, as: UTF8.self)) }
    return performed
  }

  private func command(_ id: Int) -> String { "{\"id\":\(id)}" }

  @Test func inOrderNothingWaits() {
    var order = CommandOrder()
    #expect(take(&order, [command(1) + "\n" + command(2), command(3)]) == [1, 2, 3].map(command))
    #expect(!order.isWaiting && order.repeatedCount == 0)
  }

  /// Every order in which four requests may come.
  @Test func anyOrderBecomesTheirOwn() {
    func orders(_ ids: [Int]) -> [[Int]] {
      ids.isEmpty
        ? [[]] : ids.flatMap { id in orders(ids.filter { $0 != id }).map { [id] + $0 } }
    }
    for ids in orders([8, 9, 10, 11]) {
      var order = CommandOrder()
      let performed = take(&order, [command(7)] + ids.map(command))
      let lines = performed.flatMap { $0.split(separator: "\n").map(String.init) }
      #expect(lines == [7, 8, 9, 10, 11].map(command), "\(ids)")
      #expect(!order.isWaiting)
    }
  }

  @Test func whatHasNoIdentifierStaysBehindItsNeighbour() {
    var order = CommandOrder()
    #expect(take(&order, [command(1)]) == [command(1)])
    #expect(take(&order, [command(3) + "\n{\"send\":{}}", "{}"]) == ["{}"])
    #expect(take(&order, [command(2)]) == [command(2), command(3) + "\n{\"send\":{}}\n"])
  }

  @Test func whatComesTwiceCountsOnce() {
    var order = CommandOrder()
    let performed = take(&order, [command(1), command(1), command(3), command(3), command(2), command(2)])
    #expect(performed == [command(1), command(2), command(3) + "\n"])
    #expect(order.repeatedCount == 3)
  }

  @Test func aGapIsPassedOverAndMayStillBeFilled() {
    var order = CommandOrder()
    #expect(take(&order, [command(1), command(4), command(6)]) == [command(1)])
    #expect(skip(&order) == [command(4) + "\n"])
    #expect(order.isWaiting)
    #expect(
      take(&order, [command(3), command(3), command(5)]) == [command(3), command(5), command(6) + "\n"])
    #expect(order.repeatedCount == 1)
    #expect(skip(&order) == [])
  }

  @Test(arguments: [(128, 1), (129, 130)])
  func noMoreThanSoManyWait(held: Int, performed: Int) {
    var order = CommandOrder()
    let ids = [1] + (3..<(3 + held)).map { $0 }
    #expect(take(&order, ids.map(command)).count == performed)
    #expect(order.isWaiting == (performed == 1))
  }

  @Test(arguments: [(65_535, true), (65_536, false)])
  func noMoreThanSoManyBytesWait(count: Int, waits: Bool) {
    var order = CommandOrder()
    _ = take(&order, [command(1)])
    let text = "{\"id\":3,\"x\":\"" + String(repeating: "x", count: count - 15) + "\"}"
    #expect(text.utf8.count == count)
    #expect(take(&order, [text]).isEmpty == waits)
    #expect(order.isWaiting == waits)
  }

  @Test(arguments: [
    "nonsense", "{\"id\":-1}", "{\"id\":0}", "{\"id\":4294967296}", "{\"id\":\"1\"}", "[", "5",
  ])
  func whatIsNoCommandIsTheSessionsBusiness(text: String) {
    var order = CommandOrder()
    #expect(take(&order, [command(1), text, command(2)]) == [command(1), text, command(2)])
  }

  @Test func anyIdentifierMayBeTheLast() {
    var order = CommandOrder()
    #expect(take(&order, [command(4_294_967_295), command(4_294_967_295)]) == [command(4_294_967_295)])
    #expect(take(&order, [command(4_294_967_294)]) == [])
  }

  /// `{id, ping}` behind its length.
  private func delimited(_ id: UInt8) -> [UInt8] { [0x04, 0x08, id, 0x5A, 0] }

  @Test func commandsBehindTheirLengths() {
    var order = CommandOrder(.protobuf)
    var performed: [[UInt8]] = []
    let posts = [
      delimited(1), delimited(3) + [0] + delimited(4), [0] + delimited(2), delimited(3),
      // No command, and one that is cut off: the session will say so.
      delimited(5) + [0x01, 0x0B], [0x7F, 0x08],
    ]
    for post in posts { post.withUnsafeBytes { order.take($0) { performed.append(Array($0)) } } }
    #expect(
      performed == [
        delimited(1), [0], delimited(2), delimited(3) + [0], delimited(4), delimited(5), [0x01, 0x0B],
        [0x7F, 0x08],
      ])
    #expect(order.repeatedCount == 1 && !order.isWaiting)
  }
}
