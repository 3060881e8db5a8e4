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
    case .channels: .success(parameters.channelList)
    case .connections:
      .success(
        .connections(user: parameters.user, after: parameters.cursor, limit: parameters.pageLimit))
    case .revokeToken, .invalidateUserTokens, .blockUser, .unblockUser: parameters.revoking(method)
    case .rpc: parameters.calling
    case .info: .success(.info)
    case .batch: .failure(.badRequest)
    }
  }
}

extension APIParameters {
  fileprivate func publishing(isBroadcast: Bool) -> Result<APIRequest, APIError> {
    guard var request = publication else {
      return .failure(
        .badRequest(b64data == nil ? "data is missing" : "b64data is not Base64 (RFC 4648 §4) of data"))
    }
    guard tags.count <= APILimits.maximumTags else {
      return .failure(.badRequest("there are more than \(APILimits.maximumTags) tags"))
    }
    request.tags = tags
    request.idempotencyKey = idempotencyKey
    request.skipsHistory = skipsHistory
    request.version = version
    request.versionEpoch = versionEpoch
    request.ttlMilliseconds = ttlMilliseconds
    request.delayMilliseconds = delayMilliseconds
    request.usesDelta = usesDelta
    if isBroadcast {
      guard !channels.isEmpty, channels.count <= APILimits.maximumBroadcastChannels else {
        return .failure(
          .badRequest("channels must be a list of 1 to \(APILimits.maximumBroadcastChannels) channels"))
      }
      return .success(.broadcast(request, channels: channels))
    }
    return channel.isEmpty
      ? .failure(Self.channelMissing) : .success(.publish(request, channel: channel))
  }

  /// The JSON given as it is, or else the bytes that Base64 stands for, which may be anything. JSON on one line is
  /// marked as such; who hears other bytes in JSON gets them as JSON on one line, or in Base64.
  private var publication: PublishRequest? {
    guard let b64data, !b64data.isEmpty else { return data.map { PublishRequest(data: $0) } }
    guard let bytes = Base64.decode(b64data), !bytes.isEmpty else { return nil }
    var request = PublishRequest(data: SharedBytes.make(copying: bytes))
    request.isUnchecked = bytes.withUnsafeBytes { text in
      (try? JSONText.validate(text)) == nil || JSONText.compact(text) != bytes
    }
    return request
  }

  fileprivate var calling: Result<APIRequest, APIError> {
    guard !method.isEmpty else { return .failure(.badRequest("method is missing")) }
    let parameters = parameters ?? SharedBytes.make(copying: [])
    return .success(.rpc(SessionCallRequest(method: method, data: parameters)))
  }

  fileprivate func selecting(_ method: APIMethod) -> Result<APIRequest, APIError> {
    guard !user.isEmpty else { return .failure(Self.userMissing) }
    guard whitelist.count <= APILimits.maximumExceptions else {
      return .failure(.badRequest("whitelist has more than \(APILimits.maximumExceptions) clients"))
    }
    let selection = ClientSelection(
      user: user, client: client, session: session, except: method == .disconnect ? whitelist : [])
    switch method {
    case .disconnect:
      let wanted = disconnect ?? (3503, "force disconnect")
      // The range that close frames and the client protocol leave to servers.
      guard (3000...4999).contains(wanted.code), wanted.reason.utf8.count <= 123 else {
        return .failure(
          .badRequest("disconnect needs a code from 3000 to 4999 and a reason of at most 123 bytes"))
      }
      return .success(.disconnect(selection, code: UInt32(wanted.code), reason: wanted.reason))
    case .refresh:
      return .success(.refresh(selection, isExpired: isExpired, expiresAt: expiresAt))
    case .unsubscribe:
      guard !channel.isEmpty else { return .failure(Self.channelMissing) }
      let code = code ?? 2_000
      guard (2_000...2_999).contains(code) else {
        return .failure(.badRequest("code must be from 2000 (final) or 2500 (subscribe again) to 2999"))
      }
      return .success(.unsubscribe(selection, channel: channel, code: UInt32(code)))
    default:
      return subscribing(selection)
    }
  }

  private func subscribing(_ selection: ClientSelection) -> Result<APIRequest, APIError> {
    guard !channel.isEmpty else { return .failure(Self.channelMissing) }
    var options = SubscribeOptions()
    options.isGranted = true
    options.wantsRecovery = true
    options.recoverSince = recoverSince
    options.overrides = overrides
    options.channelInfo = payload(info, b64info)
    let isInfoLost = b64info != nil && options.channelInfo == nil
    let payload = payload(data, b64data)
    let isDataLost = b64data != nil && payload == nil
    if isInfoLost || isDataLost {
      return .failure(.badRequest("b64info or b64data is not Base64 (RFC 4648 §4) of a JSON text"))
    }
    return .success(.subscribe(selection, channel: channel, options: options, data: payload))
  }

  fileprivate var history: Result<APIRequest, APIError> {
    // -1 is Centrifugo's word for all there are.
    let query = HistoryQuery(
      limit: (limit ?? 0) < 0 ? nil : Int(clamping: limit ?? 0), since: since, reverse: reverse)
    return reading { .history(channel: $0, query) }
  }

  fileprivate func reading(_ make: (String) -> APIRequest) -> Result<APIRequest, APIError> {
    channel.isEmpty ? .failure(Self.channelMissing) : .success(make(channel))
  }

  private static let channelMissing = APIError.badRequest("channel is missing")
  private static let userMissing = APIError.badRequest("user is missing")

  fileprivate var pageLimit: Int {
    guard let limit, limit > 0 else { return APILimits.maximumPage }
    return min(Int(clamping: limit), APILimits.maximumPage)
  }

  /// A page where one is asked for, else all.
  fileprivate var channelList: APIRequest {
    guard limit != nil || !cursor.isEmpty else { return .channels(pattern: pattern) }
    return .channelPage(pattern: pattern, after: cursor, limit: pageLimit)
  }

  fileprivate func revoking(_ method: APIMethod) -> Result<APIRequest, APIError> {
    if method == .revokeToken {
      guard !tokenIdentifier.isEmpty else {
        return .failure(.badRequest("uid is missing: the token's jti"))
      }
      return .success(.revocation(.token(identifier: tokenIdentifier, expiresAt: expiresAt)))
    }
    guard !user.isEmpty else { return .failure(Self.userMissing) }
    switch method {
    case .invalidateUserTokens:
      return .success(
        .revocation(.tokensOfUser(user, issuedBefore: issuedBefore, expiresAt: expiresAt)))
    case .blockUser: return .success(.revocation(.block(user: user, expiresAt: expiresAt)))
    default: return .success(.revocation(.unblock(user: user)))
    }
  }

  /// The JSON given as it is, or else in Base64. Nil when there is neither, or what Base64 hides is not JSON:
  /// it goes into replies and pushes as it is, and other bytes would break them.
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
