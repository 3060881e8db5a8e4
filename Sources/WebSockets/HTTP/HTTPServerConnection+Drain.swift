import HTTPCore
import WebSocketCore

extension HTTPServerConnection {
  /// `gone` is called when the connection is closed before the answer, or, where the end counts, ended by the client:
  /// then it is read from until something comes.
  func watchClient(countsEnd: Bool, _ gone: @escaping () -> Void) {
    guard state == .answering else { return }
    watch = (countsEnd, gone)
  }

  func tellGone() {
    let gone = watch?.gone
    watch = nil
    gone?()
  }

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
