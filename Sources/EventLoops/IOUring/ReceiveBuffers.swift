import CLinux

/// The memory that the kernel receives into: a ring of buffers that all connections of a loop share.
///
/// Since Linux 6.12 a buffer is used up bit by bit: large buffers then take whole messages, and many small ones lie one
/// behind the other. Before that each receive takes a buffer for itself.
struct ReceiveBuffers: ~Copyable {
  /// How many buffers of how many bytes where they are used up bit by bit. Little more than a turn needs: the kernel goes
  /// around in this memory, and what is written to always anew is better in the processor's cache. Measured: echoes of 64 B
  /// on 1,000 connections cost some percent less than with 1 MiB. Not smaller pieces, for a message that lies across the end
  /// of one is put together in memory of its own.
  private static let incremental = (count: 2, size: 128 * 1024)
  /// Where each receive takes a buffer: as much as one turn may receive, for there a turn has no bound but this.
  private static let single = (count: 256, size: 4 * 1024)
  private static let pageByteCount = max(incremental.count, single.count) * MemoryLayout<io_uring_buf>.stride

  private let count: Int
  private let size: Int
  private let ring: UnsafeMutablePointer<io_uring_buf>
  private let memory: UnsafeMutableRawPointer
  /// How far each buffer is used up.
  private let used: UnsafeMutablePointer<Int>
  private var tail: UInt16 = 0

  /// Gives the ring its memory.
  init(for ringDescriptor: Int32) throws(IOError) {
    guard let page = clinux_uring_map(-1, Self.pageByteCount, 0) else { throw IOError(errno: ENOMEM) }
    var (count, size) = Self.incremental
    var status = clinux_uring_register_buffers(
      ringDescriptor, page, UInt32(count), clinux_BUFFERS_INCREMENTAL)
    if status == -EINVAL {
      (count, size) = Self.single
      status = clinux_uring_register_buffers(ringDescriptor, page, UInt32(count), 0)
    }
    guard status >= 0, let memory = clinux_uring_map(-1, count * size, 0) else {
      clinux_uring_unmap(page, Self.pageByteCount)
      throw IOError(errno: status < 0 ? -status : ENOMEM)
    }
    self.count = count
    self.size = size
    ring = page.bindMemory(to: io_uring_buf.self, capacity: count)
    self.memory = memory
    used = .allocate(capacity: count)
    used.initialize(repeating: 0, count: count)
    for index in 0..<count { add(index) }
    publish()
  }

  deinit {
    used.deallocate()
    clinux_uring_unmap(ring, Self.pageByteCount)
    clinux_uring_unmap(memory, count * size)
  }

  /// The bytes that a completion brings. Completions must be asked and released in their order.
  func bytes(of completion: clinux_completion) -> UnsafeMutableRawBufferPointer {
    let index = Int(completion.flags >> clinux_CQE_BUFFER_SHIFT)
    return UnsafeMutableRawBufferPointer(
      start: memory + index * size + used[index], count: Int(completion.result))
  }

  /// Gives back the bytes of a completion; a buffer that is used up goes to the kernel with the next `publish`.
  mutating func release(_ completion: clinux_completion) {
    let index = Int(completion.flags >> clinux_CQE_BUFFER_SHIFT)
    // Swift 6.3 with the thread sanitizer makes no valid code of `used[index] +=`, where the pointer belongs to a struct
    // that is not copyable.
    let used = used + index
    if completion.flags & clinux_CQE_BUFFER_GOES_ON != 0 {
      used.pointee += Int(completion.result)
    } else {
      used.pointee = 0
      add(index)
    }
  }

  private mutating func add(_ index: Int) {
    let place = ring + (Int(tail) & (count - 1))
    // Field by field: the last field of the ring's first place is its tail.
    place.pointee.addr = UInt64(UInt(bitPattern: memory + index * size))
    place.pointee.len = UInt32(size)
    place.pointee.bid = UInt16(index)
    tail &+= 1
  }

  /// Shows the kernel the buffers that have come back.
  func publish() { clinux_publish_buffers(ring, tail) }
}
