/// `rcnn-train convert`.
public enum ConvertRun {
  /// Writes the weights of one file as another of the format that its name says, and ends the process with the exit code of
  /// `sysexits.h`.
  public static func start(_ input: String, to output: String, names: NameStyle) -> Never {
    Boundary.run(singleRank: true) { _ in
      for line in try WeightConversion.convert(input, to: output, names: names) { print(line) }
      return 0
    }
  }
}
