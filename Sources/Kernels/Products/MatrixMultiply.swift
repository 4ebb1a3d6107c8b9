internal import COpenBLAS

/// Products of row-major matrices by OpenBLAS, one thread a call: its bits depend on its number of threads.
public enum MatrixMultiply {
  static func useOneThreadACall() { openblas_set_num_threads(1) }

  /// The kernel family that OpenBLAS chose for this processor, for example "SkylakeX".
  public static var processorName: String { String(cString: openblas_get_corename()) }

  /// `c = alpha · op(a) · op(b) + beta · c` with `op(a)` of m × k, `op(b)` of k × n, `c` of m × n.
  /// The strides are the distances between rows as they lie in memory.
  public static func multiply(
    m: Int, n: Int, k: Int, alpha: Float = 1,
    _ a: UnsafePointer<Float>, transposed aTransposed: Bool = false, stride aStride: Int,
    _ b: UnsafePointer<Float>, transposed bTransposed: Bool = false, stride bStride: Int,
    beta: Float = 0, into c: Floats, stride cStride: Int
  ) {
    guard m > 0, n > 0 else { return }
    cblas_sgemm(
      CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
      Int32(m), Int32(n), Int32(k), alpha, a, Int32(aStride), b, Int32(bStride), beta, c, Int32(cStride))
  }
}
