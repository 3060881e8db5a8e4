import Glibc
import WebSockets

// Prints how much memory is asked for in steady state, as `name<TAB>allocations`; see scripts/allocations. With the
// argument `io_uring` on loops over that; exit status 3 where there is none.

let driver: EventLoopDriver = CommandLine.arguments.contains("io_uring") ? .ioUring : .epoll
let bench = try await Bench(driver)
if bench.group.driver != driver { exit(3) }
await bench.measureHandlers()
await bench.measureTasks()
await bench.measureBroadcast()
bench.measureHub()
