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

  /// Names compare eight bytes at a time where they are written alike.
  @Test func oneByteMakesAnotherName() {
    let name = "Sec-WebSocket-Version"
    let fields: HTTPFields = [name: "13"]
    for index in name.utf8.indices {
      var other = Array(name.utf8)
      let place = name.utf8.distance(from: name.startIndex, to: index)
      other[place] ^= 0x20
      let isLetter = name.utf8[index] != UInt8(ascii: "-")
      #expect((fields[String(decoding: other, as: UTF8.self)] == "13") == isLetter)
      other[place] = UInt8(ascii: "x")
      #expect(fields[String(decoding: other, as: UTF8.self)] == nil)
    }
  }

  @Test func onlyOneFieldWithOneValue() {
    let fields: HTTPFields = ["Version": "13", "Key": "a", "KEY": "a"]
    #expect(fields.has("version", only: "13"))
    #expect(!fields.has("Version", only: "1") && !fields.has("Version", only: "130"))
    #expect(!fields.has("Key", only: "a") && !fields.has("Other", only: ""))
    #expect(fields.only("Version") == "13" && fields.only("Key") == nil && fields.only("Other") == nil)
  }
}
