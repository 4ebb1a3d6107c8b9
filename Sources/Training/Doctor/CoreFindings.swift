import Foundation
import MPI

/// Cores, binding, the container's share of them, and the threads that a rank computes with.
package enum CoreFindings {
  package static func all(_ cores: CoreShare, group: ControlGroup, environment: [String: String]) -> [Finding] {
    let ranks = cores.localSize
    var findings = [
      Finding(
        "cores", .good,
        "\(cores.machine) on this host; this rank may use \(cores.allowed), its share among the \(ranks) "
          + "\(ranks == 1 ? "rank" : "ranks") here is \(fixed(cores.fair, 1))")
    ]
    let budget: ThreadBudget
    do {
      budget = try ThreadBudget(explicit: nil, environment: environment, cores: cores)
    } catch {
      return findings + [Finding("threads", .warning, "\(error)", remedy: "set OMP_NUM_THREADS to a number")]
    }
    findings.append(
      budget.notice.map { Finding("threads", .warning, $0.before("; "), remedy: $0.after("; ")) }
        ?? Finding("threads", .good, "\(budget.threads) a rank"))
    if let limit = group.cores {
      let wanted = Double(budget.threads * ranks)
      let fit = max(1, Int(limit) / max(1, ranks))
      let text =
        "the control group (container, batch job) grants \(fixed(limit, 1)) cores of time, and \(ranks) × "
        + "\(budget.threads) threads want \(Int(wanted))"
      findings.append(
        wanted > limit + 0.01
          ? Finding(
            "quota", .warning, text + ": all of them are halted together when it is used up",
            remedy: "set OMP_NUM_THREADS or mpi.threads_per_rank to \(fit), or ask for more cores (docker run --cpus)")
          : Finding("quota", .good, text))
    } else {
      findings.append(Finding("quota", .good, "no limit on processor time"))
    }
    return findings
  }
}

extension String {
  fileprivate func before(_ mark: String) -> String { range(of: mark).map { String(self[..<$0.lowerBound]) } ?? self }
  fileprivate func after(_ mark: String) -> String? { range(of: mark).map { String(self[$0.upperBound...]) } }
}
