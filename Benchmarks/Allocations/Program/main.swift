import WebSockets

// Prints how much memory is asked for in steady state, as `name<TAB>allocations`; see scripts/allocations.

let bench = try await Bench()
await bench.measureHandlers()
await bench.measureTasks()
await bench.measureBroadcast()
bench.measureHub()
