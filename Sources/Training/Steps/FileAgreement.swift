import COCO
import MPI

/// Files that the first rank of each node reads for the others.
extension World {
  /// Throws on all ranks, as a `CommonError`, the `COCOError` that the first of them has met. Collective.
  func agree<Value>(on result: Result<Value, any Error>) throws {
    var failure: Failure?
    if case .failure(let error as COCOError) = result { failure = Failure(rank: rank, error: error) }
    let first = try gathered(failure).lazy.compactMap { $0 }.first
    guard let failure = try shared(first) else { return }
    let error = failure.error
    guard failure.rank > 0, rank == 0 else { throw CommonError(underlying: error) }
    let message = "\(error.message) (rank 0 can use its file, rank \(failure.rank) cannot)"
    throw CommonError(underlying: COCOError(error.kind, at: error.place, message))
  }

  /// What the first rank that can't use its node's file has met.
  private struct Failure: Codable {
    let rank: Int
    let error: COCOError
  }
}
