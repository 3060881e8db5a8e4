import HTTPCore
import Testing

@testable import WebSocketCore

/// RFC 7692 §5, §7.1.
@Suite struct DeflateNegotiationTests {
  private static func fields(_ value: String?) -> HTTPFields {
    var fields = HTTPFields()
    if let value { fields.append("Sec-WebSocket-Extensions", value) }
    return fields
  }

  private static let withContext = DeflateOptions(sendsWithContext: true, receivesWithContext: true)

  struct Accepted: Sendable, CustomTestStringConvertible {
    var offer: String
    var options: DeflateOptions
    var response: String
    var agreement: DeflateAgreement
    var testDescription: String { "\(offer) -> \(response)" }
  }

  @Test(arguments: [
    Accepted(
      offer: "permessage-deflate", options: .standard,
      response: "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      agreement: DeflateAgreement(sendsWithContext: false, receivesWithContext: false)),
    Accepted(
      offer: "permessage-deflate", options: withContext, response: "permessage-deflate",
      agreement: DeflateAgreement()),
    Accepted(
      offer: "Permessage-Deflate; Server_No_Context_Takeover", options: withContext,
      response: "permessage-deflate; server_no_context_takeover",
      agreement: DeflateAgreement(sendsWithContext: false)),
    Accepted(
      offer: "permessage-deflate; client_no_context_takeover", options: withContext,
      response: "permessage-deflate; client_no_context_takeover",
      agreement: DeflateAgreement(receivesWithContext: false)),
    Accepted(
      offer: "permessage-deflate; server_max_window_bits=10", options: withContext,
      response: "permessage-deflate; server_max_window_bits=10",
      agreement: DeflateAgreement(sendWindowBits: 10)),
    Accepted(
      offer: "permessage-deflate; server_max_window_bits=\"12\"",
      options: DeflateOptions(sendsWithContext: true, receivesWithContext: true, sendWindowBits: 9),
      response: "permessage-deflate; server_max_window_bits=9", agreement: DeflateAgreement(sendWindowBits: 9)
    ),
    Accepted(
      offer: "permessage-deflate; client_max_window_bits", options: withContext,
      response: "permessage-deflate", agreement: DeflateAgreement()),
    Accepted(
      offer: "permessage-deflate; client_max_window_bits=8", options: withContext,
      response: "permessage-deflate; client_max_window_bits=8",
      agreement: DeflateAgreement(receiveWindowBits: 8)),
    Accepted(
      offer: "permessage-deflate; client_max_window_bits",
      options: DeflateOptions(sendsWithContext: true, receivesWithContext: true, receiveWindowBits: 11),
      response: "permessage-deflate; client_max_window_bits=11",
      agreement: DeflateAgreement(receiveWindowBits: 11)),
    // §7.1.2.2: a client that does not know the parameter is not sent it.
    Accepted(
      offer: "permessage-deflate",
      options: DeflateOptions(sendsWithContext: true, receivesWithContext: true, receiveWindowBits: 11),
      response: "permessage-deflate", agreement: DeflateAgreement()),
    // §5.1: the first offer that can be accepted is.
    Accepted(
      offer: "foo, permessage-deflate; unknown, permessage-deflate; server_max_window_bits=15",
      options: withContext, response: "permessage-deflate; server_max_window_bits=15",
      agreement: DeflateAgreement()),
  ])
  func aServerAccepts(_ test: Accepted) {
    let accepted = DeflateNegotiation.accept(Self.fields(test.offer), test.options)
    #expect(accepted?.agreement == test.agreement)
    #expect(accepted?.response == test.response)
  }

  /// §7.1: "A server MUST decline an extension negotiation offer" with such parameters.
  @Test(arguments: [
    nil, "", "foo", "permessage-deflate2", "permessage-deflate; foo", "permessage-deflate; foo=1",
    "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=x",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits=08",
    "permessage-deflate; server_max_window_bits=1e1", "permessage-deflate; server_max_window_bits=-9",
    "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=99999999999999999999",
    "permessage-deflate; client_max_window_bits; client_max_window_bits=10", "permessage-deflate; =10",
  ])
  func aServerDeclines(_ offer: String?) {
    #expect(DeflateNegotiation.accept(Self.fields(offer), .standard) == nil)
  }

  @Test(arguments: 8...15)
  func everyWindowIsNegotiated(_ bits: Int) throws {
    let options = DeflateOptions(
      sendsWithContext: true, receivesWithContext: true, sendWindowBits: bits, receiveWindowBits: bits)
    let offer = DeflateNegotiation.offer(options)
    let accepted = try #require(DeflateNegotiation.accept(Self.fields(offer), Self.withContext))
    #expect(accepted.agreement == DeflateAgreement(sendWindowBits: bits, receiveWindowBits: bits))
    let agreement = try DeflateNegotiation.check(Self.fields(accepted.response), offered: options)
    #expect(agreement == DeflateAgreement(sendWindowBits: bits, receiveWindowBits: bits))
  }

  @Test func whatAClientOffers() {
    #expect(
      DeflateNegotiation.offer(.standard)
        == "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"
    )
    #expect(DeflateNegotiation.offer(Self.withContext) == "permessage-deflate; client_max_window_bits")
  }

  @Test func aClientTakesWhatTheServerChose() throws {
    func check(_ response: String?, _ options: DeflateOptions?) throws(HandshakeError) -> DeflateAgreement? {
      try DeflateNegotiation.check(Self.fields(response), offered: options)
    }
    #expect(try check(nil, nil) == nil)
    #expect(try check(nil, .standard) == nil)
    #expect(try check("permessage-deflate", Self.withContext) == DeflateAgreement())
    #expect(
      try check("permessage-deflate; server_no_context_takeover", .standard)
        == DeflateAgreement(sendsWithContext: false, receivesWithContext: false))
    #expect(
      try check("permessage-deflate; client_no_context_takeover; client_max_window_bits=9", Self.withContext)
        == DeflateAgreement(sendsWithContext: false, sendWindowBits: 9))
    // §7.1.2.1: "A server may include" it unasked.
    #expect(
      try check("permessage-deflate; server_max_window_bits=12", Self.withContext)
        == DeflateAgreement(receiveWindowBits: 12))
    let narrow = DeflateOptions(sendsWithContext: true, receivesWithContext: true, sendWindowBits: 9)
    #expect(try check("permessage-deflate", narrow) == DeflateAgreement(sendWindowBits: 9))
  }

  @Test(arguments: [
    "foo", "permessage-deflate, permessage-deflate", "permessage-deflate, foo",
    "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; unknown", "permessage-deflate; server_no_context_takeover=0", "permessage-deflate;",
  ])
  func aClientFails(_ response: String) {
    #expect(throws: HandshakeError.self) {
      try DeflateNegotiation.check(Self.fields(response), offered: Self.withContext)
    }
  }

  @Test func aClientFailsWhereItsWishIsNotMet() {
    #expect(throws: HandshakeError("The server uses an extension that was not offered.")) {
      try DeflateNegotiation.check(Self.fields("permessage-deflate"), offered: nil)
    }
    let exceeding = HandshakeError("The server's parameters of permessage-deflate exceed what was offered.")
    #expect(throws: exceeding) {
      try DeflateNegotiation.check(Self.fields("permessage-deflate"), offered: .standard)
    }
    #expect(throws: exceeding) {
      try DeflateNegotiation.check(
        Self.fields("permessage-deflate; server_max_window_bits=11"),
        offered: DeflateOptions(receivesWithContext: true, receiveWindowBits: 10))
    }
  }

  @Test func optionsStayInRange() {
    let low = DeflateOptions(level: 0, minimumBytes: -1, sendWindowBits: 7, receiveWindowBits: -3)
    #expect(
      low == DeflateOptions(level: 1, minimumBytes: 0, sendWindowBits: 8, receiveWindowBits: 8))
    let high = DeflateOptions(level: 10, sendWindowBits: 16, receiveWindowBits: 99)
    #expect(high == DeflateOptions(level: 9, sendWindowBits: 15, receiveWindowBits: 15))
  }
}
