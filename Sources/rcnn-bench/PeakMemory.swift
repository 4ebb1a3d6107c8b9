import Foundation
import MPI

/// The most memory that this process had so far, in MiB.
func ownPeakRSSMiB() -> Double {
  var usage = rusage()
  #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let unit = 1024.0
  #else
    getrusage(RUSAGE_SELF, &usage)
    let unit = 1_048_576.0
  #endif
  return Double(usage.ru_maxrss) / unit
}

/// The most memory that any rank had so far, in MiB.
func largestPeakRSS(_ world: World) throws -> Double {
  var peak = [ownPeakRSSMiB()]
  try world.maximum(&peak)
  return peak[0]
}
