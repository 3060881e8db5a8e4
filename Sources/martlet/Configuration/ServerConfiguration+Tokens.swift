import Gateways

extension ServerConfiguration {
  /// What verifies tokens.
  struct Tokens: Sendable {
    var secrets: [String] = []
    var publicKeys: [String] = []
    var keySetURL = ""
    var keySetRefreshMilliseconds: UInt64 = 3_600_000
    var requiresExpiry = true
    var issuers: [TokenIssuerSetting] = []
  }

  static let tokenSettings: [Setting<ServerConfiguration>] = [
    Setting(
      "token.secrets", \.tokens.secrets, .list("SECRET,…"), isSecret: true,
      help:
        "Further secrets that may have signed a token, so that a secret can be changed while tokens of the old"
        + " one are still about."),
    Setting(
      "token.public_keys", \.tokens.publicKeys, .list("FILE,…"),
      help:
        "Files (PEM) with public keys or certificates that verify tokens: RSA (RS256, RS384, RS512), P-256"
        + " (ES256), P-384 (ES384), P-521 (ES512), Ed25519 (EdDSA). [NAME=]FILE: a key with a name verifies tokens"
        + " that name it (\"kid\") or none."),
    Setting(
      "token.jwks_url", \.tokens.keySetURL, .text("URL"),
      help:
        "Where public keys are fetched from (a JSON Web Key Set, as issuers of OpenID Connect publish it). Empty"
        + " means nowhere."),
    Setting(
      "token.jwks_refresh_seconds", \.tokens.keySetRefreshMilliseconds, .seconds(in: 60...86_400),
      help: "How often they are fetched again, where the answer does not say it."),
    Setting(
      "token.issuers", \.tokens.issuers, .tokenIssuers,
      help:
        "Issuers with keys of their own: \"ISSUER JWKS_URL [aud=NAME] [alg=RS256+ES256]\". A token whose \"iss\" is"
        + " ISSUER is verified with the keys fetched from there, and no others; tokens of issuers that are not known"
        + " are refused. The settings above are for tokens of token.issuer, or without an issuer."),
    Setting(
      "token.require_expiry", \.tokens.requiresExpiry, .boolean,
      help: "Whether a token must have an end (\"exp\")."),
  ]

  /// What `token.…` says, with the keys' files read; without what is fetched.
  ///
  /// - Throws: ``Problem`` for a file or secret that cannot be used.
  func tokenVerifier() throws(Problem) -> TokenVerifier {
    var keys: [TokenKey] = []
    for secret in [tokenSecret] + tokens.secrets where !secret.isEmpty {
      do {
        keys.append(try TokenKey(secret: secret))
      } catch {
        throw .usage("token.secret: \(error)")
      }
    }
    for entry in tokens.publicKeys {
      let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
      let (name, path) = parts.count == 2 ? (parts[0], parts[1]) : (nil, entry)
      let text = try TextFile.read(path)
      do {
        keys.append(try TokenKey(pem: text, identifier: name))
      } catch {
        throw .usage("token.public_keys: \(quoted(path: path)): \(error)")
      }
    }
    return TokenVerifier(
      keys: keys, audience: tokenAudience, issuer: tokenIssuer, requiresExpiry: tokens.requiresExpiry)
  }
}
