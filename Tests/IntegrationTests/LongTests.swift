import Testing

extension Trait where Self == ConditionTrait {
  /// Runs in an optimised build alone: a debug build is for a look after each change, and this takes half a minute or more.
  static var long: Self {
    #if DEBUG
      .disabled("a long run: ./launch/test has it")
    #else
      .enabled(if: true)
    #endif
  }
}
