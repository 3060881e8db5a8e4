import EventLoops
import Transport

/// The way through a proxy on a fresh connection: when the proxy has opened it, the connection goes to the next
/// handler, with what arrived behind the proxy's answer.
final class ProxyStage<Dialogue: ProxyDialogue & ~Copyable>: ConnectionHandler, TimerTarget,
  @unchecked Sendable
{
  private var dialogue: Dialogue
  private let deadline: UInt64
  private var transport: Connection?
  private var timer: TimerID?
  private var completion: ((Result<EstablishedProxy, ProxyRefusal>) -> Void)?

  /// - Parameters:
  ///   - dialogue: what is said to the proxy.
  ///   - deadline: when the proxy must have opened the way, by the loop's clock.
  ///   - completion: called once.
  init(
    _ dialogue: consuming Dialogue, deadline: UInt64,
    _ completion: @escaping (Result<EstablishedProxy, ProxyRefusal>) -> Void
  ) {
    self.dialogue = dialogue
    self.deadline = deadline
    self.completion = completion
  }

  override func connected(_ connection: Connection) {
    transport = connection
    let now = connection.loop.nowMilliseconds
    timer = connection.loop.schedule(after: deadline > now ? deadline - now : 0, self, token: 0)
    goOn(UnsafeMutableRawBufferPointer(start: nil, count: 0), connection)
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    goOn(bytes, connection)
  }

  override func receivedEnd(on connection: Connection) {
    fail(ProxyRefusal("ended the connection before it answered."))
  }

  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    transport = nil
    fail(ProxyRefusal("broke the connection before it answered: \(reason.explanation)"))
  }

  func timerFired(_ token: UInt64) {
    timer = nil
    fail(ProxyRefusal("did not answer in time."))
  }

  private func goOn(_ bytes: UnsafeMutableRawBufferPointer, _ connection: Connection) {
    guard completion != nil else { return }
    var input = UnsafeRawBufferPointer(bytes)
    do {
      while let step = try dialogue.next(&input) {
        switch step {
        case .send(let bytes): bytes.withUnsafeBytes { connection.write($0) }
        case .established:
          return end(
            .success(
              EstablishedProxy(
                connection: connection, unread: UnsafeMutableRawBufferPointer(mutating: input))))
        }
      }
    } catch {
      fail(error)
    }
  }

  private func fail(_ refusal: ProxyRefusal) {
    guard completion != nil else { return }
    transport?.abort()
    end(.failure(refusal))
  }

  private func end(_ result: Result<EstablishedProxy, ProxyRefusal>) {
    if let timer { transport?.loop.cancel(timer) }
    timer = nil
    transport = nil
    let completion = completion
    self.completion = nil
    completion?(result)
  }
}

/// A connection whose bytes are the destination's from here on.
struct EstablishedProxy {
  let connection: Connection
  /// What has arrived of them already, lent until the completion returns.
  let unread: UnsafeMutableRawBufferPointer
}
