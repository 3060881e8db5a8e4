import Gateways
import Glibc
import Synchronization

/// Writes the log to standard error, on a thread of its own: whoever reads there may be slow, and no loop waits for it.
final class LogWriter: Sendable {
  /// Lines go here.
  let log: ServerLog
  private let lines = Semaphore()
  private let finished = Semaphore()
  private let isFinishing = Atomic<Bool>(false)

  /// A log on standard error.
  init(level: LogLevel, format: ServerLog.Format) {
    log = ServerLog(level: level, format: format) {
      UInt64(clamping: Machine.unixMilliseconds)
    } wake: { [lines] in
      lines.signal()
    }
  }

  /// Begins to write. Without a thread to be had, nothing is written.
  func start() { startWriting(self) }

  /// Waits until everything is written, but not for longer than a second.
  func finish() {
    isFinishing.store(true, ordering: .relaxed)
    lines.signal()
    finished.wait(milliseconds: 1_000)
  }

  fileprivate func run() {
    // Whoever reads may go away: that must not end the server.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    while true {
      lines.wait()
      let text = log.take()
      if !text.isEmpty { Terminal.write(text, to: STDERR_FILENO) }
      if isFinishing.load(ordering: .relaxed) { finished.signal() }
    }
  }
}

/// Not inside a closure of an actor: the C entry must not inherit an isolation.
private nonisolated func startWriting(_ writer: LogWriter) {
  var thread = pthread_t()
  let argument = Unmanaged.passRetained(writer).toOpaque()
  guard pthread_create(&thread, nil, writeLines, argument) == 0 else { return }
  pthread_detach(thread)
}

private nonisolated func writeLines(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  Unmanaged<LogWriter>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}

/// Lets one thread wait for another (sem_overview(7)).
final class Semaphore: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() { sem_post(semaphore) }

  func wait() {
    while sem_wait(semaphore) != 0, errno == EINTR {}
  }

  /// Gives up after so long.
  func wait(milliseconds: Int) {
    var deadline = timespec()
    clock_gettime(CLOCK_REALTIME, &deadline)
    deadline.tv_sec += milliseconds / 1_000
    deadline.tv_nsec += milliseconds % 1_000 * 1_000_000
    if deadline.tv_nsec >= 1_000_000_000 {
      deadline.tv_sec += 1
      deadline.tv_nsec -= 1_000_000_000
    }
    while sem_timedwait(semaphore, &deadline) != 0, errno == EINTR {}
  }
}
