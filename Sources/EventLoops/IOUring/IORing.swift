import CLinux

/// One io_uring: the queue of requests and the queue of completions that a thread shares with the kernel.
///
/// It is made on any thread; the one that calls `enable` is the one that uses it from then on. The kernel works for it
/// inside `enter` only (IORING_SETUP_DEFER_TASKRUN), so that completions never come in between.
struct IORing: ~Copyable {
  let fd: Int32
  private let rings: UnsafeMutableRawPointer
  private let ringsByteCount: Int
  private let requests: UnsafeMutablePointer<io_uring_sqe>
  private let requestCapacity: UInt32
  private let requestHead: UnsafeMutablePointer<UInt32>
  private let requestTail: UnsafeMutablePointer<UInt32>
  private let requestFlags: UnsafeMutablePointer<UInt32>
  private let completions: UnsafeMutablePointer<clinux_completion>
  private let completionMask: UInt32
  private let completionHead: UnsafeMutablePointer<UInt32>
  private let completionTail: UnsafeMutablePointer<UInt32>
  /// Where the next request goes, and where the kernel stands.
  private var tail: UInt32 = 0
  private var submitted: UInt32 = 0
  /// The next completion to take.
  private(set) var head: UInt32 = 0

  /// - Parameters: powers of two.
  /// - Throws: ENOSYS or EPERM where io_uring is switched off, EINVAL before Linux 6.1.
  init(requests requestCapacity: UInt32, completions completionCapacity: UInt32) throws(IOError) {
    var parameters = io_uring_params()
    let fd = clinux_uring_setup(requestCapacity, completionCapacity, &parameters)
    guard fd >= 0 else { throw IOError(errno: -fd) }
    let (sq, cq) = (parameters.sq_off, parameters.cq_off)
    let byteCount = max(
      Int(sq.array) + Int(parameters.sq_entries) * MemoryLayout<UInt32>.stride,
      Int(cq.cqes) + Int(parameters.cq_entries) * MemoryLayout<clinux_completion>.stride)
    let requestsByteCount = Int(parameters.sq_entries) * MemoryLayout<io_uring_sqe>.stride
    guard parameters.features & clinux_URING_FEATURES == clinux_URING_FEATURES,
      let rings = clinux_uring_map(fd, byteCount, clinux_RINGS),
      let requests = clinux_uring_map(fd, requestsByteCount, clinux_REQUESTS)
    else {
      clinux_close(fd)
      throw IOError(errno: ENOMEM)
    }
    let word = { (offset: UInt32) in (rings + Int(offset)).assumingMemoryBound(to: UInt32.self) }
    self.fd = fd
    self.rings = rings
    ringsByteCount = byteCount
    self.requests = requests.bindMemory(to: io_uring_sqe.self, capacity: Int(parameters.sq_entries))
    self.requestCapacity = parameters.sq_entries
    requestHead = word(sq.head)
    requestTail = word(sq.tail)
    requestFlags = word(sq.flags)
    completions = (rings + Int(cq.cqes)).bindMemory(
      to: clinux_completion.self, capacity: Int(parameters.cq_entries))
    completionMask = parameters.cq_entries - 1
    completionHead = word(cq.head)
    completionTail = word(cq.tail)
    // Requests are submitted in the order of their places: the way around by an array of indices is set once.
    for index in 0..<parameters.sq_entries { word(sq.array)[Int(index)] = index }
  }

  deinit {
    clinux_uring_unmap(requests, Int(requestCapacity) * MemoryLayout<io_uring_sqe>.stride)
    clinux_uring_unmap(rings, ringsByteCount)
    clinux_close(fd)
  }

  // MARK: requests

  var unsubmittedCount: UInt32 { tail &- submitted }

  var isFull: Bool { unsubmittedCount == requestCapacity }

  /// Room for one more request; nil when all of the queue waits to be submitted.
  mutating func next() -> UnsafeMutablePointer<io_uring_sqe>? {
    guard !isFull else { return nil }
    defer { tail &+= 1 }
    return requests + Int(tail & (requestCapacity - 1))
  }

  /// Submits, and does not look for completions. Returns 0 or -errno.
  mutating func submit() -> Int32 { enter(minimum: 0, events: false, nanoseconds: 0) }

  /// Submits, lets the kernel finish what is due, and waits for a completion until `nanoseconds` have passed: 0 for not at
  /// all, negative for ever. Returns 0 or -errno.
  mutating func submitAndWait(nanoseconds: Int64) -> Int32 {
    enter(minimum: nanoseconds == 0 ? 0 : 1, events: true, nanoseconds: nanoseconds)
  }

  private mutating func enter(minimum: UInt32, events: Bool, nanoseconds: Int64) -> Int32 {
    clinux_store(requestTail, tail)
    let result = clinux_uring_enter(fd, unsubmittedCount, minimum, events ? 1 : 0, nanoseconds)
    submitted = clinux_load(requestHead)
    return min(result, 0)
  }

  // MARK: completions

  /// Whether the kernel has something to finish, or completions that had no room.
  var needsEnter: Bool { clinux_load(requestFlags) & (clinux_SQ_OVERFLOWN | clinux_SQ_WORK) != 0 }
  /// Whether there are completions that had no room.
  var isOverflown: Bool { clinux_load(requestFlags) & clinux_SQ_OVERFLOWN != 0 }

  /// Where the kernel puts the next completion.
  var end: UInt32 { clinux_load(completionTail) }

  /// The completion at a place from `head` up to `end`.
  subscript(place: UInt32) -> clinux_completion {
    get { completions[Int(place & completionMask)] }
    nonmutating set { completions[Int(place & completionMask)] = newValue }
  }

  /// Takes the oldest completion.
  mutating func take() -> clinux_completion? {
    guard head != end else { return nil }
    let completion = self[head]
    head &+= 1
    clinux_store(completionHead, head)
    return completion
  }
}
