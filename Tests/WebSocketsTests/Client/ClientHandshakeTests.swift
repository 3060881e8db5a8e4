import EventLoops
import HTTPCore
import Testing
import Transport

@testable import WebSockets

@Suite struct ClientHandshakeTests {
  private let client = SimulatedClient()

  init() { client.listen(.loopback(port: 80)) }

  @Test(arguments: [8, 9]) func interimResponsesArePassedOver(_ count: Int) {
    client.connect("ws://127.0.0.1/")
    let request = client.received()
    client.send(String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", count: count))
    client.send(switching(request))
    #expect(client.isOpen == (count == 8))
    #expect((client.error?.message.contains("without end") == true) == (count == 9))
  }
}
