import Foundation
import Primitives

/// Makes elements ahead, one by one, on a thread of its own: one is made while another is worked on.
///
/// Everything mutable is touched under the condition's lock only.
final class ReadAhead<Element: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var made: [Result<Element, any Error>] = []
  private var isStopped = false

  /// - Parameters:
  ///   - name: the thread's.
  ///   - depth: how many are kept that nobody has taken yet.
  ///   - make: makes the element of an index.
  init(_ name: String, count: Int, depth: Int = 1, make: @escaping @Sendable (Int) throws -> Element) {
    SystemThread.start(name) { [self] in
      for index in 0..<count {
        guard waitForRoom(depth) else { return }
        let result = Result { try make(index) }
        condition.withLock {
          made.append(result)
          condition.broadcast()
        }
      }
    }
  }

  /// The next element, waiting for it if need be. To be called at most as often as there are elements.
  /// - Throws: what making it threw; the following call gives the next one.
  func next() throws -> Element {
    let result = condition.withLock {
      while made.isEmpty { condition.wait() }
      defer { condition.broadcast() }
      return made.removeFirst()
    }
    return try result.get()
  }

  /// Ends the thread when its element is made.
  func stop() {
    condition.withLock {
      isStopped = true
      condition.broadcast()
    }
  }

  /// Whether there is need of a further element.
  private func waitForRoom(_ depth: Int) -> Bool {
    condition.withLock {
      while made.count >= depth, !isStopped { condition.wait() }
      return !isStopped
    }
  }
}
