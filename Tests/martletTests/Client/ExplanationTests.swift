import Testing

@testable import martlet

@Suite("Explanations") struct ExplanationTests {
  @Test(
    "When it is tried again",
    arguments: [
      (0, "at once"), (99, "at once"), (100, "in 0.1 s"), (1_999, "in 1.9 s"), (20_000, "in 20.0 s"),
    ] as [(UInt64, String)])
  func waiting(milliseconds: UInt64, time: String) {
    #expect(Explanation.waiting("gone", milliseconds: milliseconds) == "gone; trying again \(time)")
  }

  @Test(
    "Errors of the client protocol say what to look at",
    arguments: [
      (102, "unknown channel", "unknown channel (102) (has the server's configuration a namespace for it?)"),
      (
        103, "permission denied",
        "permission denied (103) (does its namespace allow that to this client, or is a token missing?)"
      ), (107, "bad request", "bad request (107)"),
    ])
  func serverErrors(code: Int, message: String, text: String) {
    #expect(Explanation.of(ServerError(code: code, message: message, isTemporary: false)) == text)
  }
}
