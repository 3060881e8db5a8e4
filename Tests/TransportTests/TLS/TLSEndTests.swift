import COpenSSL
import EventLoops
import TestCertificates
import Testing

@testable import Transport

private let message = (0..<40).map { UInt8($0 + 1) }

@Suite struct TLSEndTests {
  @Test(arguments: [TLSVersion.v12, .v13])
  func halfCloseLetsThePeerGoOn(version: TLSVersion) throws {
    let house = try TLSHouse()
    house.server.onEnd = { _ in }
    try house.connect(TLSClientOptions.only(version))
    house.connection?.write([1])
    house.connection?.finish()
    house.network.runUntilIdle()
    #expect(house.server.events == ["connected", "received", "end"])
    house.serverConnection?.write(message)
    house.network.runUntilIdle()
    #expect(house.client.bytes == message)
    house.serverConnection?.close()
    house.network.runUntilIdle()
    #expect(house.client.reason == .ended && house.server.reason == .ended)
    #expect(house.connection?.isTruncated == false)
  }

  @Test func anEndWithoutCloseNotifyIsTruncation() throws {
    let house = try TLSHouse()
    var isTruncated = false
    house.server.onEnd = {
      isTruncated = $0.isTruncated
      $0.close()
    }
    try house.connect()
    house.connection?.write(message)
    house.network.runUntilIdle()
    house.socket?.end()
    house.network.runUntilIdle()
    #expect(isTruncated && house.server.bytes == message)
    #expect(
      house.server.events == ["connected", "received", "end", "closed"] && house.server.reason == .ended)
  }

  /// A program may use OpenSSL on the loop's thread for something else, and leave errors there.
  @Test(arguments: [TLSVersion.v12, .v13])
  func whatOthersLeaveInTheQueueOfErrorsDoesNotMatter(version: TLSVersion) throws {
    let house = try TLSHouse()
    try house.connect(TLSClientOptions.only(version))
    func fail() {
      _ = BIO_new_file("/nonexistent", "r")
      #expect(ERR_peek_error() != 0)
    }
    fail()
    house.connection?.write(message)
    house.network.runUntilIdle()
    #expect(house.server.bytes == message)
    fail()
    house.serverConnection?.write(message)
    house.network.runUntilIdle()
    #expect(house.client.bytes == message)
    fail()
    house.connection?.close()
    house.network.runUntilIdle()
    #expect(house.server.reason == .ended && house.client.reason == .ended)
    ERR_clear_error()
  }

  @Test func aCorruptRecordFails() throws {
    let house = try TLSHouse()
    try house.connect()
    // RFC 8446 §5.2: a record of application data that no key has made.
    house.socket?.send([23, 3, 3, 0, 30] + Array(repeating: 0, count: 30))
    house.network.runUntilIdle()
    guard case .tlsFailed(let error)? = house.server.reason else {
      Issue.record("\(String(describing: house.server.reason))")
      return
    }
    #expect(error.code == .tlsFailed && house.server.bytes.isEmpty)
    // The peer hears why.
    guard case .tlsFailed(let told)? = house.client.reason else {
      Issue.record("\(String(describing: house.client.reason))")
      return
    }
    #expect(told.message.contains("bad record mac"))
  }

  @Test func aConnectionIsFreed() throws {
    weak var connection: Connection?
    weak var session: TLSSession?
    do {
      let house = try TLSHouse()
      try house.connect()
      connection = house.serverConnection
      session = house.serverConnection?.tls
      house.connection?.close()
      house.network.runUntilIdle()
      #expect(house.server.reason == .ended)
    }
    #expect(connection == nil && session == nil)
  }

  /// RFC 5246 §7.2.2: no_renegotiation. A server that renegotiates can be made to work without end.
  @Test func renegotiationIsRefused() throws {
    let house = try TLSHouse()
    try house.connect(TLSClientOptions.only(.v12))
    let (connection, session) = (try #require(house.connection), try #require(house.connection?.tls))
    SSL_clear_options(session.ssl, copenssl_OP_NO_RENEGOTIATION)
    #expect(SSL_renegotiate(session.ssl) == 1)
    #expect(SSL_do_handshake(session.ssl) == 1 || SSL_want(session.ssl) == SSL_READING)
    connection.keepOutput(session)
    connection.flush()
    house.network.runUntilIdle()
    guard case .tlsFailed(let error)? = house.client.reason else {
      Issue.record("\(String(describing: house.client.reason))")
      return
    }
    #expect(error.message.contains("no renegotiation") && house.count("tls_handshakes") == 1)
  }

  /// RFC 8446 §4.6.3: each request for new keys is answered. Who reads no answers does not make them pile up.
  @Test func keyUpdatesOfAPeerThatDoesNotReadAreBounded() throws {
    let house = try TLSHouse()
    try house.connect()
    let (connection, session) = (try #require(house.connection), try #require(house.connection?.tls))
    let server = try #require(house.serverConnection)
    house.socket?.other?.writeWindow = 0
    var most = 0
    for _ in 0..<40_000 where house.server.reason == nil {
      guard SSL_key_update(session.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 else { break }
      _ = SSL_do_handshake(session.ssl)
      connection.keepOutput(session)
      connection.write([1])
      connection.flush()
      house.network.runUntilIdle()
      most = max(most, server.queuedByteCount)
    }
    #expect(most > 1_000 && most <= 256 * 1024)
    #expect(house.server.reason == .outboundQueueOverflow)
  }
}
