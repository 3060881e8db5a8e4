import Bytes
import CAllocationCounter
import Dispatch
import EventLoops
import Realtime

// What many channels cost, in this process and without network: channels [COUNT]
//
// Live bytes are what malloc has given out, its own rounding included. The times of publishing are the best of ten rounds:
// to one channel again and again, and to 10,000 all over the table, where the processor's caches count, too.

let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
let loop = EventLoopGroup(loops: 1).loops[0]

onLoop { measure("published once, history of 1", publishes: true, subscribes: false) }
onLoop { measure("with a subscriber, no history", publishes: false, subscribes: true) }
onLoop { measure("with a subscriber and a history of 1", publishes: true, subscribes: true) }
for channels in [1_000, 10_000, 100_000, 1_000_000] where channels <= count {
  onLoop {
    let (one, many) = nanoseconds(channels: channels)
    print("a publish among \(channels) channels: \(one) ns to one of them, \(many) ns to many in turn")
  }
}

func onLoop(_ body: @escaping @Sendable () -> Void) {
  let done = DispatchSemaphore(value: 0)
  loop.execute {
    body()
    done.signal()
  }
  done.wait()
}

func liveBytes() -> Int { Int(live_bytes()) }

func makeHub(historySize: Int) -> Hub {
  var options = NamespaceOptions()
  options.subscribe = .everyone
  options.historySize = historySize
  options.historyTTLMilliseconds = 3_600_000
  var limits = HubLimits()
  limits.maximumChannelsPerLoop = .max
  return Hub(
    loops: [loop], namespaces: Namespaces(default: options), limits: limits, encodings: [Nothing()],
    wallClock: { 0 }, randomBits: { 7 })
}

func name(_ index: Int) -> String { "user-\(index)" }

func measure(_ what: String, publishes: Bool, subscribes: Bool) {
  let names = (0..<count).map(name)
  let payload = SharedBytes.make(copying: [UInt8](repeating: 0x31, count: 16))
  let hub = makeHub(historySize: publishes ? 1 : 0)
  var subscribers: [Subscriber] = []
  let before = liveBytes()
  for index in 0..<count {
    if subscribes {
      if index % 100 == 0 {
        let subscriber = Subscriber(loop: loop, info: ClientInfo(client: "c\(index)", user: ""))
        hub.add(subscriber)
        subscribers.append(subscriber)
      }
      hub.subscribe(subscribers[index / 100], to: names[index]) { _ in }
    }
    if publishes { hub.publish(PublishRequest(data: payload), to: names[index], as: .server) }
  }
  print("\(what): \((liveBytes() - before) / count) B a channel, of \(count)")
  for subscriber in subscribers { hub.remove(subscriber) }
}

func nanoseconds(channels: Int) -> (one: Int, many: Int) {
  let hub = makeHub(historySize: 1)
  let request = PublishRequest(data: SharedBytes.make(copying: [0x31]))
  let names = (0..<channels).map(name)
  for name in names { hub.publish(request, to: name, as: .server) }
  let publishes = 10_000
  func best(_ targets: [String]) -> Int {
    var best = Int.max
    for _ in 0..<10 {
      let round = ContinuousClock().measure {
        for name in targets { hub.publish(request, to: name, as: .server) }
      }
      best = min(best, Int(round.components.attoseconds / 1_000_000_000))
    }
    return best / publishes
  }
  return (
    best([String](repeating: names[channels / 2], count: publishes)),
    best((0..<publishes).map { names[($0 &* 7_919) % channels] })
  )
}

/// Frames without a byte.
struct Nothing: WireEncoding {
  private let frame = SharedBytes.make(copying: [])
  func publication(_ publication: Publication, channel: String) -> SharedBytes { frame }
  func joined(_ info: ClientInfo, channel: String) -> SharedBytes { frame }
  func left(_ info: ClientInfo, channel: String) -> SharedBytes { frame }
}
