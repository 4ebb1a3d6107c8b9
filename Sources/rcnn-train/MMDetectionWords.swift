import ArgumentParser
import Training

/// Options of mmdetection's `tools/train.py` and `tools/test.py` that mean nothing here, and what to do instead.
enum MMDetectionWords {
  private static let answers = [
    "--gpus":
      "there are no GPUs: a rank takes its share of the cores, and mpirun or srun says how many ranks there are",
    "--gpu-ids":
      "there are no GPUs: a rank takes its share of the cores, and mpirun or srun says how many ranks there are",
    "--gpu-id":
      "there are no GPUs: a rank takes its share of the cores, and mpirun or srun says how many ranks there are",
    "--deterministic": "a run always repeats bit for bit; for the same bits on any number of ranks there is "
      + "--cfg-options mpi.reduction=exact",
    "--local_rank": "ranks are started by mpirun or srun, not by torch.distributed",
    "--autoscale-lr": "the rate follows the batch with --cfg-options auto_scale_lr.enable=true",
    "--auto-scale-lr": "the rate follows the batch with --cfg-options auto_scale_lr.enable=true",
    "--amp": "all arithmetic is float32",
    "--fuse-conv-bn": "norms with fixed statistics are always folded into their convolutions",
    "--format-only":
      "'test --out detections.json' writes COCO's results format, also for a test set without annotations",
    "--show": "'rcnn-train predict CONFIG CHECKPOINT PICTURES --out-dir DIR' draws pictures",
    "--show-dir": "'rcnn-train predict CONFIG CHECKPOINT PICTURES --out-dir DIR' draws pictures",
    "--show-score-thr": "'rcnn-train predict' has --score-thr",
    "--gpu-collect": "detections are always gathered over MPI",
    "--tmpdir": "detections are gathered over MPI, not through files",
    "--eval-options": "'test' has --classwise, and --cfg-options evaluation.KEY=VALUE for the rest",
    "--tta": "testing with several scales or flips is not supported yet",
  ]

  /// The sentence for the first of these words.
  static func answer(to arguments: [String]) -> String? {
    for argument in arguments {
      let word = argument.split(separator: "=", maxSplits: 1).first.map(String.init) ?? argument
      if let answer = answers[word] { return "\(word) is mmdetection's: \(answer)" }
    }
    return nil
  }
}

/// `--launcher`: what mmdetection's scripts are told, and MPI programs know by themselves.
enum LauncherWord: String, ExpressibleByArgument, CaseIterable {
  case none, mpi, slurm
}

/// Hidden, so that command lines written for mmdetection run as they are.
struct LauncherOption: ParsableArguments {
  @Option(help: .hidden)
  var launcher: LauncherWord?
}

extension RCNNTrain {
  /// A word that is neither a file nor a command, but almost one.
  static func suggestion(for word: String) -> String? {
    let names = configuration.subcommands.map { $0.configuration.commandName ?? "\($0)".lowercased() }
    return nearest(to: word, among: names, part: 2).map {
      "there is no command and no file '\(word)'; did you mean 'rcnn-train \($0)'?"
    }
  }
}
