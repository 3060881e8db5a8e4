import HTTPCore
import Testing
import WebSockets

@testable import Gateways

/// What pages of other origins are told, field by field.
@Suite struct CrossOriginTests {
  private func head(_ method: HTTPMethod, origin: String?) -> HTTPRequestHead {
    var fields: HTTPFields = ["Host": "h"]
    if let origin { fields.append("Origin", origin) }
    return HTTPRequestHead(method: method, target: "/emulation", fields: fields)
  }

  private func judge(
    _ policy: OriginPolicy, _ method: HTTPMethod = .post, origin: String? = nil
  ) -> CrossOrigin.Verdict {
    let head = head(method, origin: origin)
    return CrossOrigin(policy: policy).judge(head, isAllowed: policy.allows(head.fields))
  }

  @Test(arguments: [OriginPolicy.sameOrigin, .list(["https://a.example"])])
  func whoIsNoPageGetsNoPermissions(policy: OriginPolicy) {
    guard case .proceed(let fields) = judge(policy) else { Issue.record("refused"); return }
    #expect(fields == ["Vary": "Origin"])
  }

  @Test func anOriginThatIsNamedMayUseCookies() {
    guard case .proceed(let fields) = judge(.list(["https://a.example"]), origin: "https://a.example") else {
      Issue.record("refused"); return
    }
    #expect(
      fields == [
        "Vary": "Origin", "Access-Control-Allow-Origin": "https://a.example",
        "Access-Control-Allow-Credentials": "true",
      ])
  }

  @Test func anyOriginMayNotUseCookies() {
    guard case .proceed(let fields) = judge(.any, origin: "https://evil.example") else {
      Issue.record("refused"); return
    }
    #expect(fields == ["Access-Control-Allow-Origin": "*"])
  }

  @Test(arguments: [HTTPMethod.get, .post, .options])
  func anotherOriginIsRefused(method: HTTPMethod) {
    for policy in [OriginPolicy.sameOrigin, .list(["https://a.example"])] {
      guard case .answer(let response) = judge(policy, method, origin: "https://evil.example") else {
        Issue.record("let in"); return
      }
      #expect(response.status == .forbidden)
      #expect(response.fields == ["Content-Type": "text/plain; charset=utf-8", "Vary": "Origin"])
    }
  }

  @Test func aPreflightIsAnswered() {
    let policy = OriginPolicy.list(["https://a.example"])
    guard case .answer(let response) = judge(policy, .options, origin: "https://a.example") else {
      Issue.record("passed on"); return
    }
    #expect(response.status == .noContent && response.body == nil)
    #expect(
      response.fields == [
        "Vary": "Origin", "Access-Control-Allow-Origin": "https://a.example",
        "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Content-Type, Authorization", "Access-Control-Max-Age": "7200",
      ])
  }

  @Test func aPreflightWithoutNamedOrigins() {
    guard case .answer(let response) = judge(.any, .options, origin: "https://a.example") else {
      Issue.record("passed on"); return
    }
    #expect(response.fields["Access-Control-Allow-Origin"] == "*")
    #expect(response.fields["Access-Control-Allow-Credentials"] == nil)
  }
}
