internal import COpenBLAS
import Foundation
import Primitives

/// Products of row-major matrices by OpenBLAS, one thread a call: its bits depend on its number of threads.
public enum MatrixMultiply {
  static func useOneThreadACall() { openblas_set_num_threads(1) }

  /// What OpenBLAS maps for each call that runs at a time, and keeps: 128 MiB on x86-64 and arm64, and a little.
  private static let workArea = 132 << 20

  /// Has OpenBLAS take the memory of so many calls at a time: where there is none its first product would try again for
  /// ever. Ends the program there.
  ///
  /// OpenBLAS exports what its own kernels take memory by, but declares it nowhere; where it is missing, there is only
  /// made sure that there is room.
  static func takeMemory(calls: Int) {
    #if os(Linux)
      let (take, giveBack) = (dlsym(nil, "blas_memory_alloc"), dlsym(nil, "blas_memory_free"))
    #else
      let (take, giveBack): (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) = (nil, nil)
    #endif
    var taken: [UnsafeMutableRawPointer] = []
    for _ in 0..<calls {
      guard LargePages.hasRoom(workArea) else {
        outOfMemory(for: "OpenBLAS, which takes them for each of \(calls) threads", needed: workArea)
      }
      guard let take, giveBack != nil else { continue }
      let function = unsafeBitCast(take, to: (@convention(c) (Int32) -> UnsafeMutableRawPointer?).self)
      if let area = function(0) { taken.append(area) }
    }
    guard let giveBack else { return }
    let function = unsafeBitCast(giveBack, to: (@convention(c) (UnsafeMutableRawPointer) -> Void).self)
    for area in taken { function(area) }
  }

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
