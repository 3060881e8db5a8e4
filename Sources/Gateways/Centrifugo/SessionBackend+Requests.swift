import Bytes
import EventLoops
import Realtime

/// The client on whose behalf a session asks its backend.
public struct SessionCaller: Sendable {
  /// The session's loop.
  public var loop: EventLoop
  /// The connection's identifier.
  public var client: String
  /// The user; empty for an anonymous client, and while it is connecting.
  public var user = ""
  /// How the client is connected, as Centrifugo names it: `websocket`, `sse`, `http_stream`.
  public var transport: String
  /// What the client's messages, and so all data, are spelled in.
  public var encoding: ClientEncoding
  /// What the connection's token or the backend has said of the connection, for the backend alone; as JSON.
  public var meta: SharedBytes?
  /// The client's header fields that the backend wants (``SessionBackend/keptHeaders``); names in lower case.
  public var headers: [(name: String, value: String)] = []

  /// Describes a client.
  public init(loop: EventLoop, client: String, transport: String, encoding: ClientEncoding) {
    self.loop = loop
    self.client = client
    self.transport = transport
    self.encoding = encoding
  }
}

/// What a client says of itself when it connects.
public struct SessionConnectRequest: Sendable {
  /// The connect command's `data`.
  public var data: SharedBytes?
  /// The client's name, such as `js`.
  public var name = ""
  /// The client's version.
  public var version = ""
  /// The channels of server-side subscriptions that the client had, or wants to have.
  public var channels: [String] = []

  /// Makes a request that says nothing.
  public init() {}
}

/// A client wants to subscribe.
public struct SessionSubscribeRequest: Sendable {
  /// The channel.
  public var channel: String
  /// The subscribe command's `data`.
  public var data: SharedBytes?

  /// Makes a request.
  public init(channel: String, data: SharedBytes? = nil) {
    self.channel = channel
    self.data = data
  }
}

/// A client wants to publish.
public struct SessionPublishRequest: Sendable {
  /// The channel.
  public var channel: String
  /// The payload.
  public var data: SharedBytes

  /// Makes a request.
  public init(channel: String, data: SharedBytes) {
    self.channel = channel
    self.data = data
  }
}

/// A client calls a method (`rpc` in client.proto).
public struct SessionCallRequest: Sendable {
  /// The method's name; may be empty.
  public var method: String
  /// The parameters; empty where the client sent none.
  public var data: SharedBytes

  /// Makes a request.
  public init(method: String, data: SharedBytes) {
    self.method = method
    self.data = data
  }
}
