/// Collects a known number of results, in their order. On one loop.
package final class Gathering<Value> {
  private var values: [Value?]
  private var missing: Int
  private let done: ([Value]) -> Void

  package init(count: Int, done: @escaping ([Value]) -> Void) {
    values = Array(repeating: nil, count: count)
    missing = count
    self.done = done
    if count == 0 { done([]) }
  }

  package func take(_ value: Value, at index: Int) {
    values[index] = value
    missing -= 1
    if missing == 0 { done(values.compactMap { $0 }) }
  }
}
