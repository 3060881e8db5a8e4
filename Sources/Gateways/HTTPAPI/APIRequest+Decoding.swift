import Bytes
import JSON
import Realtime

extension APIRequest {
  /// Decodes a call. Throws `JSONError` for a body that is not JSON of the right shape (HTTP status 400);
  /// gives an `APIError` for one that lacks what the method needs. An empty body is an empty object.
  static func decode(
    _ method: APIMethod, _ body: UnsafeRawBufferPointer
  ) throws(JSONError) -> Result<APIRequest, APIError> {
    var reader = JSONReader(body.isEmpty ? emptyObject : body)
    let request =
      method == .batch ? try decodeBatch(&reader) : make(method, try APIParameters(&reader))
    try reader.finish()
    return request
  }

  private static var emptyObject: UnsafeRawBufferPointer {
    let text: StaticString = "{}"
    return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }

  private static func decodeBatch(_ reader: inout JSONReader) throws(JSONError) -> Result<
    APIRequest, APIError
  > {
    var commands: [BatchCommand] = []
    var isParallel = false
    var isAcceptable = true
    try reader.readObject { (value, key) throws(JSONError) in
      if key == "parallel" { isParallel = try value.readBool() }
      guard key == "commands" else { return }
      try value.readArray { (element) throws(JSONError) in
        guard commands.count < APILimits.maximumBatchCommands else {
          isAcceptable = false
          return
        }
        guard let command = try decodeCommand(&element) else {
          isAcceptable = false
          return
        }
        commands.append(command)
      }
    }
    return isAcceptable ? .success(.batch(commands, isParallel: isParallel)) : .failure(.badRequest)
  }

  /// `{"method": {…}}`; nil when no member names a method that may stand in a batch.
  private static func decodeCommand(_ reader: inout JSONReader) throws(JSONError) -> BatchCommand? {
    var command: BatchCommand?
    try reader.readObject { (value, key) throws(JSONError) in
      guard command == nil, let method = APIMethod(rawValue: key.string), method != .batch else { return }
      command = BatchCommand(method: method, request: make(method, try APIParameters(&value)))
    }
    return command
  }

  private static func make(_ method: APIMethod, _ parameters: APIParameters) -> Result<APIRequest, APIError> {
    switch method {
    case .publish, .broadcast: parameters.publishing(isBroadcast: method == .broadcast)
    case .subscribe, .unsubscribe, .disconnect, .refresh: parameters.selecting(method)
    case .presence: parameters.reading { .presence(channel: $0) }
    case .presenceStats: parameters.reading { .presenceStats(channel: $0) }
    case .removeHistory: parameters.reading { .removeHistory(channel: $0) }
    case .history: parameters.history
    case .channels: .success(.channels(pattern: parameters.pattern))
    case .info: .success(.info)
    case .batch: .failure(.badRequest)
    }
  }
}

extension APIParameters {
  fileprivate func publishing(isBroadcast: Bool) -> Result<APIRequest, APIError> {
    guard let data = payload(data, b64data), tags.count <= APILimits.maximumTags else {
      return .failure(.badRequest)
    }
    var request = PublishRequest(data: data)
    request.tags = tags
    request.idempotencyKey = idempotencyKey
    request.skipsHistory = skipsHistory
    request.version = version
    request.versionEpoch = versionEpoch
    if isBroadcast {
      guard !channels.isEmpty, channels.count <= APILimits.maximumBroadcastChannels else {
        return .failure(.badRequest)
      }
      return .success(.broadcast(request, channels: channels))
    }
    return channel.isEmpty ? .failure(.badRequest) : .success(.publish(request, channel: channel))
  }

  fileprivate func selecting(_ method: APIMethod) -> Result<APIRequest, APIError> {
    guard !user.isEmpty, whitelist.count <= APILimits.maximumExceptions else { return .failure(.badRequest) }
    let selection = ClientSelection(
      user: user, client: client, session: session, except: method == .disconnect ? whitelist : [])
    switch method {
    case .disconnect:
      let wanted = disconnect ?? (3503, "force disconnect")
      // The range that close frames and the client protocol leave to servers.
      guard (3000...4999).contains(wanted.code), wanted.reason.utf8.count <= 123 else {
        return .failure(.badRequest)
      }
      return .success(.disconnect(selection, code: UInt32(wanted.code), reason: wanted.reason))
    case .refresh:
      return .success(.refresh(selection, isExpired: isExpired, expiresAt: expiresAt))
    case .unsubscribe:
      return channel.isEmpty ? .failure(.badRequest) : .success(.unsubscribe(selection, channel: channel))
    default:
      return subscribing(selection)
    }
  }

  private func subscribing(_ selection: ClientSelection) -> Result<APIRequest, APIError> {
    guard !channel.isEmpty else { return .failure(.badRequest) }
    var options = SubscribeOptions()
    options.isGranted = true
    options.wantsRecovery = true
    options.recoverSince = recoverSince
    options.channelInfo = payload(info, b64info)
    let isInfoLost = b64info != nil && options.channelInfo == nil
    let payload = payload(data, b64data)
    let isDataLost = b64data != nil && payload == nil
    if isInfoLost || isDataLost { return .failure(.badRequest) }
    return .success(.subscribe(selection, channel: channel, options: options, data: payload))
  }

  fileprivate var history: Result<APIRequest, APIError> {
    // -1 is Centrifugo's word for all there are.
    let query = HistoryQuery(
      limit: (limit ?? 0) < 0 ? nil : Int(clamping: limit ?? 0), since: since, reverse: reverse)
    return reading { .history(channel: $0, query) }
  }

  fileprivate func reading(_ make: (String) -> APIRequest) -> Result<APIRequest, APIError> {
    channel.isEmpty ? .failure(.badRequest) : .success(make(channel))
  }

  /// The JSON given as it is, or else in Base64. Nil when there is neither, or what Base64 hides is not JSON:
  /// it goes into frames as it is, and other bytes would break them for every subscriber.
  private func payload(_ json: SharedBytes?, _ base64: String?) -> SharedBytes? {
    guard let base64, !base64.isEmpty else { return json }
    guard let bytes = Base64.decode(base64) else { return nil }
    return bytes.withUnsafeBytes { text in
      do {
        try JSONText.validate(text)
        return SharedBytes.make(copying: JSONText.compact(text))
      } catch {
        return nil
      }
    }
  }
}
