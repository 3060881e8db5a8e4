import Testing

@testable import Realtime

@Suite struct ClientNameTests {
  @Test(arguments: [
    "00000000-0000-4000-8000-000000000000", "01234567-89ab-4def-8123-456789abcdef",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
  ])
  func identifiersOfTheServerAreNumbers(_ text: String) {
    let name = ClientName(text)
    guard case .uuid = name else {
      Issue.record("\(text) is kept as text")
      return
    }
    #expect(name.text == text && name == ClientName(text))
  }

  /// What comes back must be what was given, to the letter.
  @Test(arguments: [
    "", "c1", "01234567-89AB-4def-8123-456789abcdef", "0123456789ab4def8123456789abcdef",
    "01234567-89ab-4def-8123-456789abcdeg", "01234567-89ab-4def-8123-456789abcde",
    "01234567-89ab-4def-8123_456789abcdef", "0123456-789ab-4def-8123-456789abcdef",
    "01234567-89ab-4def-8123-456789abcdef0", "-1234567-89ab-4def-8123-456789abcdef",
  ])
  func othersAreText(_ text: String) {
    let name = ClientName(text)
    #expect(name == .text(text) && name.text == text)
  }

  @Test func differentOnesAreDifferent() {
    let names = [
      "01234567-89ab-4def-8123-456789abcdef", "01234567-89ab-4def-8123-456789abcdee",
      "11234567-89ab-4def-8123-456789abcdef",
    ]
    #expect(Set(names.map { ClientName($0) }).count == 3)
  }
}
