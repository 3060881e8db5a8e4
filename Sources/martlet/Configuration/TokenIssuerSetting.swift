import Gateways
import HTTPCore

/// One of `token.issuers`.
struct TokenIssuerSetting: Sendable, Equatable {
  /// The most of them.
  static let maximumCount = 64

  var name: String
  var url: String
  var audience = ""
  /// Empty: those of its keys.
  var algorithms: [TokenAlgorithm] = []

  init(_ text: String) throws(BadValue) {
    let words = text.split(separator: " ").map(String.init)
    guard words.count >= 2 else { throw BadValue(Self.complaint) }
    name = words[0]
    url = words[1]
    guard (try? WebURL(url, schemes: ["http", "https"])) != nil else {
      throw BadValue("has \(quoted(url)), which is not a URL (http or https)")
    }
    for word in words.dropFirst(2) {
      if word.hasPrefix("aud="), word.count > 4 {
        audience = String(word.dropFirst(4))
      } else if word.hasPrefix("alg=") {
        try readAlgorithms(word.dropFirst(4))
      } else {
        throw BadValue(Self.complaint)
      }
    }
  }

  private mutating func readAlgorithms(_ text: Substring) throws(BadValue) {
    for name in text.split(separator: "+", omittingEmptySubsequences: false) {
      guard let algorithm = TokenAlgorithm(rawValue: String(name)), !TokenAlgorithm.hmac.contains(algorithm)
      else {
        throw BadValue("has \(quoted(String(name))), which is not an algorithm of public keys such as RS256")
      }
      algorithms.append(algorithm)
    }
  }

  private static let complaint = "is not \"ISSUER JWKS_URL [aud=NAME] [alg=RS256+ES256]\""

  /// As it is written.
  var text: String {
    var words = [name, url]
    if !audience.isEmpty { words.append("aud=" + audience) }
    if !algorithms.isEmpty { words.append("alg=" + algorithms.map(\.rawValue).joined(separator: "+")) }
    return words.joined(separator: " ")
  }
}

extension ValueKind where Value == [TokenIssuerSetting] {
  static var tokenIssuers: ValueKind {
    let texts = ValueKind<[String]>.list("ISSUER URL,…")
    return ValueKind(
      placeholder: texts.placeholder,
      read: { (raw) throws(BadValue) in
        var issuers: [TokenIssuerSetting] = []
        for text in try texts.read(raw) {
          let issuer = try TokenIssuerSetting(text)
          guard !issuers.contains(where: { $0.name == issuer.name }) else {
            throw BadValue("names \(quoted(issuer.name)) twice")
          }
          issuers.append(issuer)
        }
        guard issuers.count <= TokenIssuerSetting.maximumCount else {
          throw BadValue("has more than \(TokenIssuerSetting.maximumCount) issuers")
        }
        return issuers
      },
      show: { issuers in texts.show(issuers.map(\.text)) })
  }
}
