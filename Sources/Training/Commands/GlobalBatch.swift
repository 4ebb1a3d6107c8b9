extension RunConfiguration {
  /// Images a step over all ranks: `mpi.global_batch`, or ranks × `data.samples_per_gpu`.
  func globalBatch(ranks: Int) -> Int { mpi.globalBatch ?? ranks * (data.samplesPerGPU ?? 1) }

  /// Looks whether each rank gets its share of the global batch.
  /// - Returns: what the user should be told.
  /// - Throws: `RunError`.
  func checkGlobalBatch(ranks: Int) throws -> String? {
    guard let batch = mpi.globalBatch else { return nil }
    guard batch >= ranks else {
      throw RunError(
        "'mpi.global_batch' is \(batch), which gives no image to some of the \(ranks) ranks; start at most \(batch) ranks",
        exitCode: .configuration)
    }
    guard model.normalizesLossesGlobally || batch % ranks == 0 else {
      throw RunError(
        """
        'mpi.global_batch' is \(batch), which \(ranks) ranks share unevenly, and with 'mpi.loss_normalizer: per_rank' an \
        image of a smaller share would count more; start a number of ranks that divides \(batch), or take \
        loss_normalizer: global
        """, exitCode: .configuration)
    }
    guard let samples = data.samplesPerGPU, samples * ranks != batch else { return nil }
    return """
      'data.samples_per_gpu' gives way to 'mpi.global_batch': \(ranks) ranks share \(batch) images a step, not \
      \(samples * ranks)
      """
  }
}
