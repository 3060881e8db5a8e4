import HTTPCore
import Testing

@Suite struct BasicCredentialsTests {
  @Test(
    arguments: [
      // RFC 7617 §2 and §2.1.
      ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
      ("test", "123£", "Basic dGVzdDoxMjPCow=="),
      ("", "", "Basic Og=="), ("a", "b:c", "Basic YTpiOmM="),
    ])
  func encodes(_ user: String, _ password: String, _ value: String) {
    #expect(BasicCredentials(user: user, password: password)?.fieldValue == value)
  }

  @Test(arguments: [("a:b", "c"), ("a\n", "c"), ("a", "\u{7F}"), ("\0", "")])
  func refuses(_ user: String, _ password: String) {
    #expect(BasicCredentials(user: user, password: password) == nil)
  }

  @Test(
    arguments: [
      ("u:p", "u", "p"), ("u", "u", ""), ("u:", "u", ""), (":p", "", "p"), ("u:p:q", "u", "p:q"),
      ("%75%20:%70%3A%40%2f", "u ", "p:@/"), ("u%C3%A9:%E2%82%AC", "ué", "€"), ("a+b:c+d", "a+b", "c+d"),
    ])
  func readsURLs(_ text: String, _ user: String, _ password: String) {
    let credentials = BasicCredentials(userInfo: text)
    #expect(credentials?.user == user && credentials?.password == password)
  }

  @Test(arguments: ["a%3Ab:c", "a%zz", "a:%C3", "%0A:x"])
  func refusesURLs(_ text: String) { #expect(BasicCredentials(userInfo: text) == nil) }
}
