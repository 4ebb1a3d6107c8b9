/// The indices of the largest scores, largest first, at most `limit`; equal scores in their own order and NaN before
/// all (as torch's stable descending sort).
func descendingOrder(_ scores: [Float], limit: Int = .max) -> [Int] {
  var keys = scores.indices.map { descendingKey(scores[$0], index: $0) }
  if limit < keys.count {
    selectSmallest(limit, of: &keys)
    keys.removeSubrange(limit...)
  }
  keys.sort()
  return keys.map { Int(truncatingIfNeeded: $0 & 0xffff_ffff) }
}

/// An integer that is smaller for larger scores: the bits of a positive float grow with it, those of a negative one
/// against it. The index, below, decides between equal scores. Adding 0 makes -0 the same as 0.
private func descendingKey(_ score: Float, index: Int) -> UInt64 {
  // Of either sign: x86 makes negative NaNs.
  if score.isNaN { return UInt64(index) }
  let bits = (score + 0).bitPattern
  let ascending = bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
  return UInt64(~ascending) << 32 | UInt64(index)
}

/// Moves the `count` smallest of the distinct keys to the front, in any order (Hoare's quickselect).
private func selectSmallest(_ count: Int, of keys: inout [UInt64]) {
  guard count > 0 else { return }
  var (low, high) = (0, keys.count - 1)
  while low < high {
    let pivot = keys[(low + high) / 2]
    var (i, j) = (low, high)
    while i <= j {
      while keys[i] < pivot { i += 1 }
      while keys[j] > pivot { j -= 1 }
      guard i <= j else { break }
      keys.swapAt(i, j)
      i += 1
      j -= 1
    }
    if count - 1 <= j {
      high = j
    } else if count - 1 >= i {
      low = i
    } else {
      return
    }
  }
}
