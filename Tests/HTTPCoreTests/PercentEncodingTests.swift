import HTTPCore
import Testing

@Suite struct PercentEncodingTests {
  @Test(arguments: [
    ("", ""), ("abc", "abc"), ("%41%6a", "Aj"), ("%C3%A9", "é"), ("a+b", "a+b"), ("%00", "\u{0}"),
    ("%25", "%"),
    ("%2F..", "/.."),
  ])
  func decodes(_ text: String, _ expected: String) {
    #expect(PercentEncoding.decode(text) == expected)
  }

  @Test(arguments: ["%", "%4", "%g0", "%0g", "a%", "%%41", "%C3", "%FF", "%ED%A0%80", "%C0%80", "%+1"])
  func refuses(_ text: String) {
    #expect(PercentEncoding.decode(text) == nil)
  }

  @Test func plusIsASpaceInForms() {
    #expect(PercentEncoding.decode("a+b%2B", plusIsSpace: true) == "a b+")
  }

  @Test func splitsQueries() {
    let items = PercentEncoding.queryItems("a=1&b&&c=x%3Dy=z&a=+&=n")
    #expect(items.map(\.name) == ["a", "b", "c", "a", ""])
    #expect(items.map(\.value) == ["1", "", "x=y=z", " ", "n"])
  }
}
