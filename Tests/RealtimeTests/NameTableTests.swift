import Testing

@testable import Realtime

@Suite struct NameTableTests {
  private struct Entry: Named {
    let name: ClientName
    let value: Int
  }

  @Test func anEmptyTableHasNothing() {
    var table = NameTable<Entry>()
    #expect(table[.text("a")] == nil && table.count == 0 && table.values.isEmpty)
    table.remove(.text("a"))
    #expect(table.count == 0)
  }

  @Test func theLaterOfANameTakesThePlace() {
    var table = NameTable<Entry>()
    table.insert(Entry(name: .text("a"), value: 1))
    table.insert(Entry(name: .text("a"), value: 2))
    #expect(table.count == 1 && table[.text("a")]?.value == 2 && table.values.map(\.value) == [2])
  }

  /// Coming and going in any order, beside a dictionary.
  @Test(arguments: [1, 30, 500] as [UInt64]) func whatIsThereIsFound(_ range: UInt64) {
    var table = NameTable<Entry>()
    var expected: [ClientName: Int] = [:]
    var random = range
    for step in 0..<4_000 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let number = (random >> 33) % range
      let name = number % 2 == 0 ? ClientName.uuid(number, 1) : .text("client \(number)")
      if random >> 62 == 0 {
        table.remove(name)
        expected[name] = nil
      } else if random >> 62 < 3 || step < 2_000 {
        table.insert(Entry(name: name, value: step))
        expected[name] = step
      } else {
        table.remove(name)
        expected[name] = nil
      }
      #expect(table[name]?.value == expected[name])
    }
    #expect(table.count == expected.count)
    #expect(table.values.map(\.value).sorted() == expected.values.sorted())
    for (name, value) in expected { #expect(table[name]?.value == value) }
  }
}
