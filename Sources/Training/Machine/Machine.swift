internal import CMachine
import Foundation

/// The machine that the program runs on.
package enum Machine {
  /// The most memory that this process had so far, in MiB.
  package static var peakMemoryMiB: Double {
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

  /// What the kernels were built for, for example "x86-64-v3"; "" for the compiler's own choice.
  static var kernelArchitecture: String { String(cString: machine_kernel_architecture()) }

  /// A binary on a processor that lacks what its kernels were built for says so, in place of dying of SIGILL. To be
  /// called before anything of `Kernels`.
  package static func checkProcessor() throws {
    var text = [CChar](repeating: 0, count: 512)
    machine_missing_features(&text, Int32(text.count))
    let missing = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard !missing.isEmpty else { return }
    throw RunError(
      """
      this program was built for \(String(cString: machine_kernel_architecture())), but this processor lacks \
      \(missing); build it here: 'RCNN_MARCH=native swift build -c release'
      """, exitCode: .usage, scope: .thisRank)
  }
}
