internal import CMachine

/// The machine that the program runs on.
enum Machine {
  /// A binary on a processor that lacks what its kernels were built for says so, in place of dying of SIGILL.
  static func checkProcessor() throws {
    guard machine_supports_kernels() == 0 else { return }
    let built = String(cString: machine_kernel_architecture())
    throw RunError(
      """
      this processor lacks the instructions that rcnn-train was built for (\(built)); \
      build it with RCNN_MARCH=x86-64 swift build -c release
      """, exitCode: .usage)
  }
}
