import HTTPCore
import WebSocketCore

extension HTTPServerConnection {
  /// `ends` is called when the server ends this connection before the answer.
  func watchServer(_ ends: @escaping () -> Void) {
    if isDraining { ends() } else { endWatch = ends }
  }

  func drain(code: CloseCode, reason: String) {
    isDraining = true
    if let streaming {
      streaming.handler.serverEnds(streaming.stream, code: code, reason: reason)
    } else if state == .answering {
      endWatch?()
      endWatch = nil
    } else if state == .reading, decoder.isIdle {
      end()
    }
  }

  func abort() {
    transport?.abort()
  }
}
