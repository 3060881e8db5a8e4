import EventLoops

/// Publications that wait for their time, with the owner of their channel.
extension Shard {
  /// The answer names no position: there is none yet.
  func delay(
    _ request: PublishRequest, to name: String, _ namespace: Namespace, info: ClientInfo?
  ) -> Result<StreamPosition, HubError> {
    guard request.delayMilliseconds <= limits.maximumDelayMilliseconds else {
      return .failure(.badRequest)
    }
    guard delayedCount < limits.maximumDelayedPublications else {
      count(refusal: .limitExceeded)
      return .failure(.limitExceeded)
    }
    var later = request
    later.delayMilliseconds = 0
    if !request.idempotencyKey.isEmpty {
      guard let channel = hold(name, namespace) else {
        count(refusal: .limitExceeded)
        return .failure(.limitExceeded)
      }
      if let first = channel.position(forKey: request.idempotencyKey, now: now) {
        counters.suppressed &+= 1
        return .success(first)
      }
      channel.remember(request.idempotencyKey, StreamPosition(), now: now)
      release(channel)
      later.idempotencyKey = ""
    }
    delayedCount += 1
    loop.schedule(after: request.delayMilliseconds) { [hub, index, later] in
      let shard = hub.shards[index]
      shard.delayedCount -= 1
      shard.post(to: index, .work { _ = $0.publish(later, to: name, namespace, info: info) })
    }
    return .success(StreamPosition())
  }
}
