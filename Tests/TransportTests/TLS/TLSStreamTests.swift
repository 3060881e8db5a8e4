import Bytes
import EventLoops
import TestCertificates
import Testing

@testable import Transport

private let message = (0..<40).map { UInt8($0 + 1) }

private func bytes(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

private let versions: [TLSVersion] = [.v12, .v13]

@Suite struct TLSStreamTests {
  @Test(arguments: versions)
  func handshakeThenEcho(version: TLSVersion) throws {
    let house = try TLSHouse()
    house.server.onReceived = { $1.write(UnsafeRawBufferPointer($0)) }
    try house.connect(TLSClientOptions.only(version))
    #expect(house.results.count == 1 && house.error == nil)
    #expect(house.server.events == ["connected"])
    house.connection?.write(message)
    house.network.runUntilIdle()
    #expect(house.client.bytes == message && house.server.bytes == message)
    let description = try #require(house.serverConnection?.tlsDescription)
    #expect(description.version == (version == .v12 ? "TLSv1.2" : "TLSv1.3"))
    #expect(description.applicationProtocol == "http/1.1")
    #expect(description.serverName == "server.example" && !description.isResumed)
    #expect(house.count("tls_handshakes") == 1 && house.loop.transport.tls.handshakeCount == 0)
  }

  /// Every byte of every flight and record arrives alone, and is taken alone.
  @Test(arguments: versions, [1, 2, 3, 5, 7, 100])
  func tinyReadsAndWrites(version: TLSVersion, piece: Int) throws {
    let house = try TLSHouse()
    (house.readPiece, house.writePiece) = (piece, piece)
    house.server.onReceived = { $1.write(UnsafeRawBufferPointer($0)) }
    try house.connect(TLSClientOptions.only(version))
    for _ in 0..<3 { house.connection?.write(message) }
    house.network.runUntilIdle()
    #expect(house.client.bytes == message + message + message)
    house.connection?.close()
    house.network.runUntilIdle()
    #expect(house.client.reason == .ended && house.server.reason == .ended)
    #expect(house.serverConnection?.isTruncated == false)
  }

  /// A record is split at every byte.
  @Test func everySplitOfARecord() throws {
    let house = try TLSHouse()
    try house.connect()
    let far = try #require(house.socket?.other)
    for split in 1..<(message.count + 22) {
      house.server.bytes = []
      far.readSizes = [split]
      house.connection?.write(message)
      house.network.runUntilIdle()
      #expect(house.server.bytes == message)
    }
  }

  @Test func aTurnIsOneRecordAndOneSystemCall() throws {
    let house = try TLSHouse()
    try house.connect()
    let before = try #require(house.socket).writes.count
    for index in 0..<100 {
      house.connection?.write([UInt8(index)])
      house.connection?.write(SharedBytes.make(copying: Array(repeating: UInt8(index), count: 300)))
    }
    #expect(house.connection?.queuedByteCount == 100 * 301)
    house.network.runUntilIdle()
    let writes = try #require(house.socket).writes.dropFirst(before)
    // Two records: 5 bytes of header, 1 of type, 16 of tag each (RFC 8446 §5.2).
    #expect(Array(writes) == [100 * 301 + 2 * 22])
    #expect(house.server.bytes.count == 100 * 301)
  }

  @Test(arguments: [1, 16_383, 16_384, 16_385, 65_535, 65_536, 98_304, 98_305, 1_000_000])
  func messagesOfAllSizes(size: Int) throws {
    let house = try TLSHouse()
    house.server.onReceived = { $1.write(UnsafeRawBufferPointer($0)) }
    try house.connect()
    house.connection?.maximumQueuedBytes = .max
    house.serverConnection?.maximumQueuedBytes = .max
    let payload = bytes(size)
    house.connection?.write(payload)
    house.connection?.write(SharedBytes.make(copying: payload))
    house.network.runUntilIdle()
    #expect(house.client.bytes == payload + payload)
    #expect(house.connection?.queuedByteCount == 0 && house.connection?.outbound == nil)
    #expect(house.connection?.tls?.ciphertext == nil)
  }

  @Test func lentPlaintextMayBeChangedAndOthersWrittenTo() throws {
    // Both ends are on one loop and share its buffers: a large echo encrypts while the plaintext is lent.
    let house = try TLSHouse()
    let payload = bytes(60_000)
    house.server.onReceived = { bytes, connection in
      connection.maximumQueuedBytes = .max
      connection.write(payload + payload)
      connection.write(UnsafeRawBufferPointer(bytes))
    }
    try house.connect()
    house.connection?.write(payload)
    house.network.runUntilIdle()
    #expect(house.server.bytes == payload)
    #expect(house.client.bytes.suffix(60_000).elementsEqual(payload))
  }

  @Test func writesBeforeTheHandshakeFollowIt() throws {
    let house = try TLSHouse()
    house.start(try TLSClientContext(TLSClientOptions.only(.v13)))
    while house.connection == nil { house.loop.turn() }
    house.connection?.write(message)
    house.connection?.write(bytes(100_000))
    house.network.runUntilIdle()
    #expect(house.server.bytes == message + bytes(100_000))
    #expect(house.client.events == ["connected", "secured"])
  }

  // MARK: backpressure

  @Test func aBlockedPeerAndTheQueuesLimit() throws {
    let house = try TLSHouse()
    try house.connect()
    let (connection, socket) = (try #require(house.connection), try #require(house.socket))
    connection.maximumQueuedBytes = 1_000
    socket.writeWindow = 0
    connection.write(Array(repeating: 1, count: 500))
    house.network.runUntilIdle()
    // Encrypted already.
    #expect(connection.isBlocked && connection.queuedByteCount == 522)
    connection.write(Array(repeating: 2, count: 478))
    #expect(connection.queuedByteCount == 1_000)
    socket.writeWindow = nil
    house.network.runUntilIdle()
    #expect(house.server.bytes.count == 978 && house.client.events.last == "drained")
    #expect(connection.queuedByteCount == 0)

    socket.writeWindow = 0
    connection.write(Array(repeating: 1, count: 500))
    house.network.runUntilIdle()
    connection.write(Array(repeating: 2, count: 479))
    house.network.runUntilIdle()
    #expect(house.client.reason == .outboundQueueOverflow)
  }

  @Test(arguments: [1, 7, 1_000, 20_000])
  func blockedWritesKeepTheirOrder(piece: Int) throws {
    let house = try TLSHouse()
    try house.connect()
    let socket = try #require(house.socket)
    house.connection?.maximumQueuedBytes = .max
    socket.writeSizes = [piece, 0, piece, 0]
    socket.writePieceByteCount = max(piece, 500)
    var expected: [UInt8] = []
    for (index, size) in [3, 300, 5, 70_000, 1, 1, 100_000, 256, 257, 9].enumerated() {
      let part = bytes(size).map { $0 &+ UInt8(index) }
      if index % 2 == 1 {
        house.connection?.write(SharedBytes.make(copying: part))
      } else {
        house.connection?.write(part)
      }
      expected += part
      if index == 5 { house.network.runUntilIdle() }
    }
    house.network.runUntilIdle()
    #expect(house.server.bytes == expected)
  }

  // MARK: pausing

  @Test func pausedReadingHoldsPlaintextBack() throws {
    let house = try TLSHouse()
    house.server.onReceived = { $1.pauseReading() }
    try house.connect()
    let payload = bytes(200_000)
    house.connection?.maximumQueuedBytes = .max
    house.connection?.write(payload)
    house.connection?.close()
    house.network.runUntilIdle()
    var resumes = 0
    while house.server.reason == nil, resumes < 100 {
      let before = house.server.bytes.count
      house.network.runUntilIdle()
      #expect(house.server.bytes.count == before && !house.server.events.contains("end"))
      house.serverConnection?.resumeReading()
      #expect(house.server.bytes.count == before, "not inside the call")
      house.network.runUntilIdle()
      resumes += 1
    }
    #expect(house.server.bytes == payload && (3..<20).contains(resumes))
    #expect(house.server.events == ["connected", "received", "end", "closed"])
  }

  @Test func pausedInConnectedReadsNothing() throws {
    let house = try TLSHouse()
    house.server.onConnected = { $0.pauseReading() }
    house.start(try TLSClientContext(TLSClientOptions.only(.v13)))
    while house.connection == nil { house.loop.turn() }
    house.connection?.write(message)
    house.network.runUntilIdle()
    #expect(house.server.events == ["connected"])
    house.serverConnection?.resumeReading()
    house.network.runUntilIdle()
    #expect(house.server.bytes == message)
  }

  @Test func whatIsHeldIsDroppedByClose() throws {
    let house = try TLSHouse()
    house.server.onReceived = { $1.pauseReading() }
    try house.connect()
    house.connection?.maximumQueuedBytes = .max
    house.connection?.write(bytes(100_000))
    house.network.runUntilIdle()
    let before = house.server.bytes.count
    house.serverConnection?.close()
    house.network.runUntilIdle()
    #expect(house.server.bytes.count == before && house.server.reason == .ended)
    #expect(house.client.reason == .ended)
  }
}
