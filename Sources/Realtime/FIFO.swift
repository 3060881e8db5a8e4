/// A queue in one array. Taking from the front moves a mark; the gap is closed when it is half of the array,
/// so that each element moves at most once on average.
struct FIFO<Element> {
  private var elements: [Element?] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { count == 0 }
  var first: Element? { isEmpty ? nil : elements[head] }

  /// The element `index` places behind the front, which must be there.
  subscript(index: Int) -> Element {
    guard let element = elements[head + index] else {
      preconditionFailure("a place behind the mark is empty")
    }
    return element
  }

  mutating func append(_ element: Element) { elements.append(element) }

  @discardableResult
  mutating func removeFirst() -> Element? {
    guard !isEmpty else { return nil }
    let element = elements[head]
    elements[head] = nil
    head += 1
    if head == elements.count {
      removeAll(keepingCapacity: elements.capacity <= 32)
    } else if head >= 16, head * 2 >= elements.count {
      elements.removeFirst(head)
      head = 0
    }
    return element
  }

  mutating func removeAll(keepingCapacity: Bool = false) {
    elements.removeAll(keepingCapacity: keepingCapacity)
    head = 0
  }
}
