import Realtime

/// One thing that somebody asked of the server or was told by it. A run of the simulation is a list of these, in the
/// order in which they happened to those who wrote them down.
struct FaultEvent {
  /// What a client is shown of a publication. Every text is published for one purpose only, so it names it.
  struct Shown: Equatable {
    var offset: UInt64
    var text: String
  }

  /// What a subscribe reply says.
  struct Beginning {
    /// Where the client stands before it takes the publications, each of which moves it on.
    var position: StreamPosition
    var publications: [Shown] = []
    var wasRecovering = false
    var recovered = false

    /// Where it stands after them.
    var end: StreamPosition {
      StreamPosition(epoch: position.epoch, offset: publications.last?.offset ?? position.offset)
    }
  }

  enum Kind {
    /// Somebody begins to publish `text`, maybe not for the first time.
    case publishing(text: String)
    /// The server says where it is.
    case published(text: String, StreamPosition)
    case subscribing(since: StreamPosition?)
    /// A client subscribes that acknowledges what it is shown.
    case consuming(client: Int)
    case subscribed(Beginning)
    /// It says that it has dealt with all up to an offset.
    case acknowledging(client: Int, UInt64)
    /// The server has heard it.
    case acknowledged(client: Int, UInt64)
    case shown(Shown)
    /// The server says that the subscription is over.
    case unsubscribed
    /// The server refuses what must be granted.
    case refused(code: Int64)
    /// The connection is over, with all its subscriptions.
    case disconnected
    /// What the channel holds when all is quiet.
    case atEnd(StreamPosition, [Shown])
  }

  /// Connections are numbered; the server's own calls are of connection -1.
  var connection = -1
  var channel = ""
  /// Which server it is about, counted from 0: what one has said may be read when another is there already.
  var run = 0
  var kind: Kind
}
