/// What a benchmark has found, for the three ways in which it is told: text, JSON, a page.
struct BenchResult: Sendable {
  /// What was counted: messages, deliveries, handshakes.
  struct Counted: Sendable {
    /// Plural, as JSON names it.
    var name: String
    /// Singular: `cpu_us_per_message`.
    var unit: String
    var count: UInt64
    var perSecond: Double
  }

  struct ServerCost: Sendable {
    /// CPU time that was used while it was counted.
    var usage = ServerProcess.Usage()
    var residentKiB = 0
    /// nil where it says nothing.
    var bytesPerConnection: Double?
  }

  /// Messages counted up to a moment.
  struct Sample: Sendable {
    var seconds: Double
    var perSecond: Double
  }

  var benchmark: String
  var target: BenchTarget
  /// Connections that were open.
  var connections = 0
  /// Of the measured part.
  var seconds = 0.0
  var counted: Counted?
  var latency: TimeSummary?
  /// Fan-out: from a publication to its last delivery.
  var lastDelivery: TimeSummary?
  var connect: TimeSummary?
  var close: TimeSummary?
  var errors = ErrorTally()
  var server: ServerCost?
  /// Fan-out: publications whose deliveries were counted.
  var publications: UInt64?
  /// Idle: the server's memory as connections were opened.
  var memory: [MemoryPoint] = []
  /// CPU time of the generator itself while it was measured, in nanoseconds.
  var generatorCPU = 0.0
  var samples: [Sample] = []
  /// Sentences for people.
  var notes: [String] = []

  init(_ benchmark: String, _ target: BenchTarget) {
    self.benchmark = benchmark
    self.target = target
  }

  /// The part of one core that the generator used.
  var generatorShare: Double { seconds > 0 ? generatorCPU / 1e9 / seconds : 0 }
}

extension BenchResult {
  /// Whether size and depth of messages mean something.
  var sendsMessages: Bool { benchmark == "echo" || benchmark == "fanout" }
}
