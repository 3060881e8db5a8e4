import EventLoops
import TestCertificates
import Testing

@testable import Transport

/// How many writes a server's connection takes.
@Suite struct TLSWriteTests {
  private let options = TLSClientOptions(verification: .authorities(file: Authority.file))

  private func server(of house: TLSHouse) throws -> SimulatedSocket { try #require(house.socket?.other) }

  @Test("the tickets of TLS 1.3 leave with the first message, in one write")
  func ticketsWaitForTheFirstMessage() throws {
    let house = try TLSHouse()
    let client = try TLSClientContext(options)
    for isResumed in [false, true] {
      try house.connect(client)
      let socket = try server(of: house)
      #expect(socket.writes.count == 1 && house.serverConnection?.isSecure == true)
      #expect(house.serverConnection?.tls?.queuedByteCount ?? 0 > 100)
      // What arrives does not make them leave.
      house.connection?.write([1])
      house.network.runUntilIdle()
      #expect(socket.writes.count == 1 && house.server.bytes == [1])
      for count in 2...3 {
        house.serverConnection?.write([2])
        house.network.runUntilIdle()
        #expect(socket.writes.count == count && house.serverConnection?.queuedByteCount == 0)
      }
      #expect(house.client.bytes.suffix(2) == [2, 2])
      #expect(house.connection?.tlsDescription?.isResumed == isResumed)
      house.connection?.close()
      house.network.runUntilIdle()
    }
  }

  @Test("in TLS 1.2 the ticket comes before the end of the handshake, and waits for nothing")
  func theEndOfTheHandshakeDoesNotWait() throws {
    let house = try TLSHouse()
    try house.connect(TLSClientOptions.only(.v12))
    #expect(try server(of: house).writes.count == 2)
    #expect(house.connection?.isSecure == true && house.serverConnection?.queuedByteCount == 0)
  }

  @Test("the last message and close_notify leave in one write", arguments: [TLSVersion.v12, .v13])
  func endsWithTheLastMessage(version: TLSVersion) throws {
    for written in [[], [1], Array(repeating: UInt8(7), count: 9_000)] as [[UInt8]] {
      let house = try TLSHouse()
      try house.connect(TLSClientOptions.only(version))
      house.serverConnection?.write([0])
      house.network.runUntilIdle()
      let socket = try server(of: house)
      let before = socket.writes.count
      house.serverConnection?.write(written)
      house.serverConnection?.close()
      house.network.runUntilIdle()
      #expect(socket.writes.count == before + 1)
      #expect(house.client.bytes == [0] + written)
      #expect(house.client.reason == .ended && house.connection?.isTruncated == false)
    }
  }

  @Test func aServerThatSaysNothingEndsInOrder() throws {
    let house = try TLSHouse()
    try house.connect()
    house.serverConnection?.close()
    house.network.runUntilIdle()
    #expect(house.client.reason == .ended && house.server.reason == .ended)
    #expect(house.client.bytes.isEmpty && house.connection?.isTruncated == false)
  }

  @Test(
    "a header and what follows it leave in as few records as they can, a batch of records in one write",
    arguments: [
      (4, 16_384, 2), (14, 16_386, 2), (13, 32_755, 2), (14, 32_755, 3), (14, 32_764, 3), (4_096, 16_384, 2),
      (4_097, 32_768, 3), (100, 100_000, 7),
    ])
  func headers(head: Int, body: Int, records: Int) throws {
    let house = try TLSHouse()
    try house.connect()
    house.serverConnection?.write([0])
    house.network.runUntilIdle()
    let socket = try server(of: house)
    let before = socket.writes
    let bytes = (0..<head + body).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    house.serverConnection?.write(Array(bytes[..<head]))
    house.serverConnection?.write(Array(bytes[head...]))
    house.network.runUntilIdle()
    #expect(house.client.bytes.dropFirst() == bytes[...])
    let writes = socket.writes.dropFirst(before.count)
    // RFC 8446 §5.2: five bytes of header, one of type, sixteen of authentication.
    #expect(writes.reduce(0, +) == head + body + 22 * records)
    // A longer beginning goes by itself.
    #expect(writes.count == (head > 4_096 ? 2 : 1))
  }

  /// By copying and by writing through, with a kernel that takes all at once and one that takes a bit at a time.
  @Test(arguments: [1, 5_000, 100_000], [1_000, Int.max])
  func theFirstMessageIsWhole(count: Int, piece: Int) throws {
    let house = try TLSHouse()
    house.writePiece = piece
    try house.connect()
    let message = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    house.serverConnection?.write(message)
    house.network.runUntilIdle()
    #expect(house.client.bytes == message && house.serverConnection?.queuedByteCount == 0)
  }
}
