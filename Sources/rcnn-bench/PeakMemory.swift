import MPI
import Training

/// The most memory that any rank had so far, in MiB.
func largestPeakRSS(_ world: World) throws -> Double {
  var peak = [Machine.peakMemoryMiB]
  try world.maximum(&peak)
  return peak[0]
}
