import Bytes
import EventLoops
import Testing

@testable import Gateways
@testable import Realtime

/// Calls that the application answers, and data that is not JSON.
@Suite struct HTTPAPICallTests {
  private final class World {
    let sessions = SessionWorld(loops: 2)
    let backend = FakeBackend()
    let api: HTTPAPI

    init() {
      api = HTTPAPI(
        hub: sessions.hub, keys: ["k"], node: NodeIdentity(uid: "", name: "", version: ""),
        uptimeSeconds: { 0 }, backend: backend)
    }

    func call(_ method: APIMethod, _ body: String) throws -> String {
      let request = try Array(body.utf8).withUnsafeBytes { try APIRequest.decode(method, $0) }
      switch request {
      case .success(let call): return api.answer(to: call, on: sessions.loops[0], sessions.network)
      case .failure(let error): return "\(error.code) \(error.message)"
      }
    }
  }

  @Test func theApplicationAnswers() throws {
    let world = World()
    world.backend.onCall = { request in
      switch request.method {
      case "sum":
        .success(
          SessionCallAnswer(data: bytes("[" + String(decoding: request.data.array, as: UTF8.self) + "]")))
      case "nothing": .success(SessionCallAnswer())
      case "no": .failure(.error(CommandError(code: 1_000, message: "not \"now\"")))
      default: .failure(.disconnect(Disconnect.invalidToken))
      }
    }
    #expect(try world.call(.rpc, #"{"method":"sum","params":{"a": 1}}"#) == #"{"result":{"data":[{"a":1}]}}"#)
    #expect(try world.call(.rpc, #"{"method":"nothing"}"#) == #"{"result":{}}"#)
    #expect(try world.call(.rpc, #"{"method":"no"}"#) == #"{"error":{"code":1000,"message":"not \"now\""}}"#)
    #expect(try world.call(.rpc, #"{"method":"x"}"#) == #"{"error":{"code":3500,"message":"invalid token"}}"#)
    let caller = try #require(world.backend.callers.first)
    #expect(caller.client == "" && caller.user == "" && caller.transport == "server_api")
    #expect(caller.loop === world.sessions.loops[0] && caller.encoding == .json)
    #expect(
      try world.call(.batch, #"{"commands":[{"rpc":{"method":"sum","params":1}},{"info":{}}]}"#)
        .hasPrefix(#"{"replies":[{"rpc":{"data":[1]}},{"info":"#))
  }

  @Test func withoutAnApplicationOrAMethod() throws {
    #expect(try World().call(.rpc, #"{"method":"x"}"#).hasPrefix(#"{"error":{"code":108,"#))
    #expect(try World().call(.rpc, #"{"params":1}"#) == "107 method is missing")
    #expect(try World().call(.rpc, #"{"method":""}"#) == "107 method is missing")
  }

  @Test(
    "Bytes reach Protobuf clients as they are, and JSON clients as JSON or in Base64",
    arguments: [
      ("AAH/", #""AAH/""#), ("WzFd", "[1]"), ("WyAxXQ==", "[1]"), ("IngKeSI=", #""IngKeSI=""#),
      ("Cg==", #""Cg==""#), ("e30KeyJpZCI6MX0=", #""e30KeyJpZCI6MX0=""#),
    ])
  func bytesOfAnyKind(_ base64: String, _ json: String) throws {
    let world = World()
    let client = world.sessions.connected()
    _ = client.call(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#)
    let binary = world.sessions.connectedInProtobuf()
    binary.send("1:3 5{1:'plain:a'}")
    _ = binary.takeBytes()
    #expect(
      try world.call(.publish, #"{"channel":"plain:a","b64data":"\#(base64)"}"#) == #"{"result":{}}"#)
    #expect(client.take() == [#"{"push":{"channel":"plain:a","pub":{"data":\#(json)}}}"#])
    let exact = try #require(Base64.decode(base64))
    let received = binary.takeBytes().flatMap { $0 }
    #expect(received.suffix(exact.count) == exact[...])
    #expect(
      try world.call(.broadcast, #"{"channels":["plain:a"],"b64data":"\#(base64)"}"#).contains("result"))
    #expect(client.take() == [#"{"push":{"channel":"plain:a","pub":{"data":\#(json)}}}"#])
  }
}
