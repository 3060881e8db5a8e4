import Synchronization
import WebSocketCore
import WebSockets

/// A connection that comes back, for `martlet connect --reconnect`; says in words what it does.
struct ReturningSocket: ConnectedSocket {
  private let socket: ReconnectingWebSocket
  private let story: ConnectionStory

  /// - Parameters:
  ///   - url: where to.
  ///   - options: of each connection; the heartbeat has its keepalive's interval.
  init(_ url: String, options: WebSocketClientOptions) {
    let story = ConnectionStory()
    self.story = story
    var reconnecting = ReconnectingWebSocketOptions(connection: options)
    reconnecting.heartbeatIntervalMilliseconds = options.socket.keepaliveIntervalMilliseconds
    socket = ReconnectingWebSocket(url, options: reconnecting, events: story.events)
  }

  func tell(_ note: @escaping @Sendable (String) -> Void) { story.tell(note) }

  /// Returns when a connection is open for the first time.
  func connect() async throws(WebSocketError) { try await socket.connect() }

  func send(_ message: WebSocketMessage) async throws { try await socket.send(message) }

  func close(code: CloseCode, reason: String) async { await socket.close(code: code, reason: reason) }

  func receive(_ each: (WebSocketMessage) async -> Bool) async {
    do {
      for try await message in socket {
        guard await each(message) else { return }
      }
    } catch {
      story.failed(error)
    }
  }

  var ending: (code: CloseCode, reason: String) { get async { story.ending } }

  func roundTrip() async -> Duration? {
    await socket.roundTripTime.map { .milliseconds(Int64(clamping: $0.lastMilliseconds)) }
  }

  var facts: [String] {
    get async {
      let statistics = await socket.statistics
      return [
        "connections made: \(statistics.connections)", "attempts failed: \(statistics.failedAttempts)",
        "messages waiting: \(statistics.queuedMessages)",
      ]
    }
  }
}

/// What has happened to a returning connection, in words. Any thread.
private final class ConnectionStory: Sendable {
  private struct State {
    var note: @Sendable (String) -> Void = { _ in }
    var connections = 0
    var failure = ""
    var ending: (code: CloseCode, reason: String) = (.abnormal, "")
  }

  private let state = Mutex(State())

  var ending: (code: CloseCode, reason: String) { state.withLock { $0.ending } }

  func tell(_ note: @escaping @Sendable (String) -> Void) { state.withLock { $0.note = note } }

  func failed(_ error: WebSocketError) {
    state.withLock { $0.ending = (error.closeCode ?? .abnormal, error.message) }
  }

  var events: ReconnectingWebSocket.Events {
    var events = ReconnectingWebSocket.Events()
    events.onOpen = { [self] in
      let isAgain = state.withLock { state in
        state.connections += 1
        return state.connections > 1
      }
      if isAgain { say("connected again") }
    }
    events.onError = { [self] error in state.withLock { $0.failure = Explanation.of(error) } }
    events.onClose = { [self] event in
      state.withLock { state in
        state.ending = (event.code, event.reason)
        if event.code != .abnormal { state.failure = Closure.text(event.code, event.reason) }
      }
    }
    events.onReconnecting = { [self] attempt, delay in
      let why = state.withLock { $0.failure }
      let time = Milliseconds.text(.milliseconds(Int64(clamping: delay)))
      say("\(why.isEmpty ? "" : why + "; ")attempt \(attempt) in \(time)")
    }
    return events
  }

  private func say(_ text: String) {
    let note = state.withLock { $0.note }
    note(text)
  }
}
