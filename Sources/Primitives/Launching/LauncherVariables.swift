/// A program that starts the processes of a job, by the variables that it gives them.
public struct KnownLauncher: Sendable {
  /// For messages, for example "srun".
  public let name: String
  /// The process's number, over all nodes or on its own.
  let ranks: [String]
  /// How many there are, over all nodes; the first that is there counts.
  let sizes: [String]
  /// How many there are on this node.
  var localSizes: [String] = []
  /// Only where these are there too do the others mean the process.
  var needed: [String] = []
  /// Why they can't find each other, and what helps.
  var remedy =
    "it is not Open MPI's and they cannot find each other; start rcnn-train with Open MPI's own mpirun"

  /// Those that Open MPI cannot talk to. PMIx and Open MPI's own mpirun come before them, because their ranks inherit the
  /// variables of the batch job, and of the launcher that mpirun starts its daemons with.
  public static let foreign = [
    KnownLauncher(
      name: "MPICH's or Intel MPI's mpiexec", ranks: ["PMI_RANK", "PMI_ID", "MPI_LOCALRANKID"], sizes: ["PMI_SIZE"],
      localSizes: ["MPI_LOCALNRANKS"]),
    KnownLauncher(
      name: "MVAPICH's mpirun", ranks: ["MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_LOCAL_RANK"],
      sizes: ["MV2_COMM_WORLD_SIZE"], localSizes: ["MV2_COMM_WORLD_LOCAL_SIZE"]),
    KnownLauncher(
      name: "PALS (Cray's mpiexec)", ranks: ["PALS_RANKID", "PALS_LOCAL_RANKID"], sizes: ["PALS_SIZE"],
      localSizes: ["PALS_LOCAL_SIZE"]),
    KnownLauncher(name: "Cray's aprun", ranks: ["ALPS_APP_PE"], sizes: []),
    KnownLauncher(
      name: "jsrun", ranks: ["JSM_NAMESPACE_RANK", "JSM_NAMESPACE_LOCAL_RANK"], sizes: ["JSM_NAMESPACE_SIZE"],
      localSizes: ["JSM_NAMESPACE_LOCAL_SIZE"]),
    KnownLauncher(
      name: "flux run", ranks: ["FLUX_TASK_RANK"], sizes: ["FLUX_JOB_SIZE"],
      remedy: "without PMIx they cannot find each other; use 'flux run -o pmi=pmix', or mpirun inside the job"),
    KnownLauncher(
      name: "srun", ranks: ["SLURM_PROCID"], sizes: ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"],
      needed: ["SLURM_STEP_ID", "SLURM_PROCID"],
      remedy: "without PMIx they cannot find each other; use 'srun --mpi=pmix', or mpirun inside the job"),
  ]
}

/// What launchers say of this process: the one place that knows their variables.
public struct LauncherVariables: Sendable {
  private let environment: [String: String]

  public init(_ environment: [String: String]) { self.environment = environment }

  /// The rank and the number of ranks, over all nodes.
  public var rank: Int? { number("OMPI_COMM_WORLD_RANK") ?? number("PMIX_RANK") }
  public var size: Int? { number("OMPI_COMM_WORLD_SIZE") }
  public var localSize: Int? { number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? number("SLURM_NTASKS_PER_NODE") }
  /// The number of tasks of the Slurm step that this process belongs to.
  public var stepSize: Int? {
    guard environment["SLURM_STEP_ID"] != nil, environment["SLURM_PROCID"] != nil else { return nil }
    return number("SLURM_STEP_NUM_TASKS") ?? number("SLURM_NTASKS")
  }

  /// Whether Open MPI's mpirun, or another launcher with PMIx, gave this process all that it gives.
  public var isOurs: Bool { isThere("PMIX_RANK") && partsMissing == nil }

  /// Whether this process is one of several that no MPI can bring together.
  var areWrong: Bool { partsMissing != nil || foreignWorld(isAlone: true) != nil }

  private static let ours = ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"]
  private static let pmix = ["PMIX_RANK", "PMIX_NAMESPACE"]
  private var areOurs: Bool { (Self.ours + Self.pmix).contains(where: isThere) }

  /// A sentence where variables of mpirun or PMIx are there that cannot be all of them, or contradict each other: what
  /// somebody set, or inherited from another job.
  public var partsMissing: String? {
    let remedy = "no mpirun that started this process leaves them so; unset them, or start it with mpirun"
    let isMPIRuns = Self.ours.contains(where: isThere)
    let needed = isMPIRuns ? Self.ours + Self.pmix : Self.pmix
    guard let present = needed.first(where: isThere) else { return nil }
    let shown = "\(present) is '\(environment[present] ?? "")'"
    if let missing = needed.first(where: { !isThere($0) }) { return "\(shown), but \(missing) is not set: \(remedy)" }
    let numbers = needed.filter { $0 != "PMIX_NAMESPACE" }
    if let name = numbers.first(where: { number($0) == nil }) {
      return "\(name) is '\(environment[name] ?? "")', which is not a number: \(remedy)"
    }
    guard isMPIRuns, let rank, let size else { return nil }
    return rank < size && rank == number("PMIX_RANK")
      ? nil
      : "OMPI_COMM_WORLD_RANK is \(rank), OMPI_COMM_WORLD_SIZE \(size), PMIX_RANK \(environment["PMIX_RANK"] ?? ""): "
        + remedy
  }

  /// A sentence where a launcher that Open MPI can't talk to has started several processes, or, unless `isAlone`, does not
  /// say how many.
  public func foreignWorld(isAlone: Bool) -> String? {
    guard !areOurs else { return nil }
    return KnownLauncher.foreign.lazy.compactMap { launcher in
      claims(of: launcher).flatMap { refusal(of: launcher, $0, isAlone: isAlone) }
    }.first
  }

  /// What a launcher's variables say; nil where there are none.
  private struct Claims {
    var ranks: [(name: String, value: Int?)]
    var sizes: [(name: String, value: Int?)]
    var localSizes: [(name: String, value: Int?)]
  }

  private func claims(of launcher: KnownLauncher) -> Claims? {
    func values(_ names: [String]) -> [(name: String, value: Int?)] {
      names.filter(isThere).map { ($0, number($0)) }
    }
    guard launcher.needed.allSatisfy(isThere) else { return nil }
    let claims = Claims(
      ranks: values(launcher.ranks), sizes: values(launcher.sizes), localSizes: values(launcher.localSizes))
    return claims.ranks.isEmpty && claims.sizes.isEmpty && claims.localSizes.isEmpty ? nil : claims
  }

  private func refusal(of launcher: KnownLauncher, _ claims: Claims, isAlone: Bool) -> String? {
    let sizes = Array(claims.sizes.prefix(1)) + claims.localSizes
    if let odd = (claims.ranks + sizes).first(where: { $0.value == nil }) {
      return
        "\(odd.name) is '\(environment[odd.name] ?? "")', which is no number of \(launcher.name); unset it, or start "
        + "rcnn-train with Open MPI's own mpirun"
    }
    if let many = sizes.first(where: { $0.value ?? 0 > 1 }) {
      return "\(many.name) says that \(launcher.name) started \(many.value ?? 0) processes, but \(launcher.remedy)"
    }
    if let later = claims.ranks.first(where: { $0.value ?? 0 > 0 }) {
      return
        "\(later.name) says that \(launcher.name) started this process as number \(later.value ?? 0) of several, but "
        + launcher.remedy
    }
    guard claims.sizes.isEmpty, !isAlone, let name = (claims.ranks + claims.localSizes).first?.name else { return nil }
    return "\(name) says that \(launcher.name) started this process, and nothing says how many there are: "
      + "\(launcher.remedy), or one process with --single-rank"
  }

  private func isThere(_ name: String) -> Bool { environment[name] != nil }
  private func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 } }
}
