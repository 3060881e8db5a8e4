import HTTPCore
import Testing

@Suite struct HTTPFieldsTests {
  private let fields: HTTPFields = ["Accept": "a", "X": "1", "ACCEPT": "b, c"]

  @Test func namesCompareWithoutCase() {
    #expect(fields["accept"] == "a")
    #expect(fields.values(of: "aCCept") == ["a", "b, c"])
    #expect(fields["Accep"] == nil)
    #expect(fields.count == 3)
  }

  @Test func orderAndSpellingStay() {
    #expect(fields.map(\.name) == ["Accept", "X", "ACCEPT"])
    #expect(fields.map(\.value) == ["a", "1", "b, c"])
  }

  @Test func listsSpanFields() {
    #expect(fields.list("Accept") == ["a", "b", "c"])
    #expect(fields.containsToken("accept", "C"))
    #expect(!fields.containsToken("accept", "b, c"))
    #expect((["A": " ,x ,\t, y"] as HTTPFields).list("A") == ["x", "y"])
  }

  @Test func removingAndSetting() {
    var changed = fields
    changed.remove("accept")
    #expect(changed == ["x": "1"])
    changed.set("X", "2")
    changed.append("Y", "")
    #expect(changed == ["X": "2", "Y": ""])
    #expect(changed != ["Y": "", "X": "2"])
    #expect(changed["Y"] == "")
  }

  @Test func onlyASCIILettersFold() {
    #expect((["É": "1", "[": "2"] as HTTPFields)["é"] == nil)
    #expect((["[": "2"] as HTTPFields)["{"] == nil)
  }
}
