import HTTPCore

/// The negotiation of permessage-deflate (RFC 7692 §5 and §7.1).
public enum DeflateNegotiation {
  /// The extension's token.
  public static let name = "permessage-deflate"

  // MARK: Server

  /// Accepts the first of a client's offers that can be accepted.
  ///
  /// - Parameters:
  ///   - fields: the request's.
  ///   - options: what this end wants.
  /// - Returns: the agreement and the value of the response's `Sec-WebSocket-Extensions`; nil if there is no
  ///   acceptable offer, and then the connection goes without (§5: the server "declines").
  public static func accept(
    _ fields: HTTPFields, _ options: DeflateOptions
  ) -> (agreement: DeflateAgreement, response: String)? {
    for offer in ExtensionOffer.all(in: fields) ?? [] where isOurs(offer) {
      guard let parameters = DeflateParameters(offer, isOffer: true) else { continue }
      return answer(parameters, options)
    }
    return nil
  }

  private static func answer(
    _ offer: DeflateParameters, _ options: DeflateOptions
  ) -> (DeflateAgreement, String) {
    var answer = DeflateParameters()
    // §7.1.1.1: the server accepts "server_no_context_takeover" by including it, and "may include" it unasked.
    answer.serverNoContext = offer.serverNoContext || !options.sendsWithContext
    // §7.1.1.2: the server may include it "even if the … offer … doesn't include" it.
    answer.clientNoContext = offer.clientNoContext || !options.receivesWithContext
    // §7.1.2.1: the answer's value is "the same or smaller".
    let sendWindow = min(offer.serverWindowBits ?? 15, options.sendWindowBits)
    if offer.serverWindowBits != nil || sendWindow < 15 { answer.serverWindowBits = sendWindow }
    // §7.1.2.2: without the parameter in the offer "the server … MUST NOT include" it: the client does not know it.
    if offer.knowsClientWindow {
      let receiveWindow = min(offer.clientWindowBits ?? 15, options.receiveWindowBits)
      if receiveWindow < 15 { answer.clientWindowBits = receiveWindow }
    }
    let agreement = DeflateAgreement(
      sendsWithContext: !answer.serverNoContext, receivesWithContext: !answer.clientNoContext,
      sendWindowBits: sendWindow, receiveWindowBits: answer.clientWindowBits ?? 15)
    return (agreement, answer.text)
  }

  // MARK: Client

  /// The value of a request's `Sec-WebSocket-Extensions`.
  public static func offer(_ options: DeflateOptions) -> String {
    var offer = DeflateParameters()
    offer.serverNoContext = !options.receivesWithContext
    offer.clientNoContext = !options.sendsWithContext
    if options.receiveWindowBits < 15 { offer.serverWindowBits = options.receiveWindowBits }
    offer.knowsClientWindow = true
    if options.sendWindowBits < 15 { offer.clientWindowBits = options.sendWindowBits }
    return offer.text
  }

  /// Checks the extensions of a server's response.
  ///
  /// - Parameters:
  ///   - fields: the response's.
  ///   - options: what was offered; nil if nothing was.
  /// - Returns: the agreement, or nil if the server declined.
  /// - Throws: ``HandshakeError`` if the client must fail the connection.
  public static func check(
    _ fields: HTTPFields, offered options: DeflateOptions?
  ) throws(HandshakeError) -> DeflateAgreement? {
    guard let accepted = ExtensionOffer.all(in: fields) else {
      throw HandshakeError("The Sec-WebSocket-Extensions field is malformed.")
    }
    guard let first = accepted.first else { return nil }
    // RFC 6455 §4.1: an extension "that was not present in the client's handshake … MUST _Fail the WebSocket
    // Connection_".
    guard let options, accepted.allSatisfy(isOurs) else {
      throw HandshakeError("The server uses an extension that was not offered.")
    }
    guard accepted.count == 1, let answer = DeflateParameters(first, isOffer: false) else {
      throw HandshakeError("The server's parameters of permessage-deflate are invalid.")
    }
    // RFC 7692 §7.1.1.1, §7.1.2.1: accepted by being included.
    guard answer.serverNoContext || options.receivesWithContext,
      (answer.serverWindowBits ?? 15) <= options.receiveWindowBits
    else { throw HandshakeError("The server's parameters of permessage-deflate exceed what was offered.") }
    return DeflateAgreement(
      sendsWithContext: !answer.clientNoContext && options.sendsWithContext,
      receivesWithContext: !answer.serverNoContext,
      sendWindowBits: min(answer.clientWindowBits ?? 15, options.sendWindowBits),
      receiveWindowBits: answer.serverWindowBits ?? 15)
  }

  private static func isOurs(_ offer: ExtensionOffer) -> Bool {
    ASCII.equalIgnoringCase(offer.name.utf8Span.span, name.utf8Span.span)
  }
}

/// The four parameters of RFC 7692 §7.1.
struct DeflateParameters {
  var serverNoContext = false
  var clientNoContext = false
  var serverWindowBits: Int?
  /// Whether `client_max_window_bits` is there, with a value or without.
  var knowsClientWindow = false
  var clientWindowBits: Int?

  init() {}

  /// Nil for what §7.1 makes unacceptable: an unknown parameter, one "with an invalid value", or one twice.
  init?(_ offer: ExtensionOffer, isOffer: Bool) {
    var seen: Set<String> = []
    for parameter in offer.parameters {
      let name = parameter.name.lowercased()
      guard seen.insert(name).inserted else { return nil }
      switch (name, parameter.value) {
      case ("server_no_context_takeover", nil): serverNoContext = true
      case ("client_no_context_takeover", nil): clientNoContext = true
      case ("server_max_window_bits", let value?):
        guard let bits = Self.windowBits(value) else { return nil }
        serverWindowBits = bits
      case ("client_max_window_bits", nil) where isOffer:
        knowsClientWindow = true
      case ("client_max_window_bits", let value?):
        guard let bits = Self.windowBits(value) else { return nil }
        clientWindowBits = bits
        knowsClientWindow = true
      default:
        return nil
      }
    }
  }

  /// §7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15, inclusive".
  private static func windowBits(_ text: String) -> Int? {
    (8...15).first { String($0) == text }
  }

  /// The extension and its parameters, as they are sent.
  var text: String {
    var text = DeflateNegotiation.name
    if serverNoContext { text += "; server_no_context_takeover" }
    if clientNoContext { text += "; client_no_context_takeover" }
    if let serverWindowBits { text += "; server_max_window_bits=\(serverWindowBits)" }
    if let clientWindowBits {
      text += "; client_max_window_bits=\(clientWindowBits)"
    } else if knowsClientWindow {
      text += "; client_max_window_bits"
    }
    return text
  }
}
