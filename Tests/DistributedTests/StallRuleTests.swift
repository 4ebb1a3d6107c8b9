import Distributed
import Testing

/// When a run stands still, and whom it waits for: no clock, no processes.
@Suite struct StallRuleTests {
  private let rule = StallRule(timeout: 600)

  private func state(
    _ rank: Int, _ phase: RankProgress.Phase = .training, age: Double, waits: Bool = false, step: Int = 7,
    number: Int = 3, unheard: Double? = nil
  ) -> RankState {
    RankState(
      rank: rank, step: step, place: Place(phase: phase, channel: waits ? .gradients : nil, isWaiting: waits),
      number: number, age: age, unheard: unheard)
  }

  @Test func aRunGoesOnAsLongAsAnyRankThatCanBeSeenDoes() {
    #expect(rule.verdict([state(0, age: 10_000, waits: true), state(1, age: 199)]) == .goesOn)
    #expect(rule.verdict([state(0, age: 10_000, waits: true), state(1, age: 201)]) == .warning)
    #expect(rule.verdict([state(0, age: 10_000, waits: true), state(1, age: 599)]) == .warning)
    #expect(rule.verdict([state(0, age: 10_000, waits: true), state(1, age: 600)]) == .stalled)
    #expect(rule.verdict([state(0, age: 10_000), state(1, age: 10_000), state(2, age: 3, unheard: 2)]) == .goesOn)
    #expect(rule.verdict([]) == .goesOn)
  }

  @Test(arguments: [RankProgress.Phase.starting, .reading, .saving, .ending])
  func longPhasesHaveLongerAndNoStallIsForEver(_ phase: RankProgress.Phase) {
    #expect(rule.verdict([state(0, phase, age: 1199), state(1, age: 1199, waits: true)]) == .goesOn)
    #expect(rule.verdict([state(0, phase, age: 1201), state(1, age: 1201, waits: true)]) == .warning)
    #expect(rule.verdict([state(0, phase, age: 3600), state(1, age: 3600, waits: true)]) == .stalled)
  }

  @Test func anEvaluationTicks() {
    #expect(rule.verdict([state(0, .evaluating, age: 3), state(1, .evaluating, age: 3000)]) == .goesOn)
    #expect(rule.verdict([state(0, .evaluating, age: 600), state(1, .evaluating, age: 3000)]) == .stalled)
  }

  @Test func aSignalThatNobodyServes() {
    let stuck = [state(0, age: 100, waits: true), state(1, age: 100)]
    #expect(!rule.isDeaf(stuck, signalAge: 30))
    #expect(rule.isDeaf(stuck, signalAge: 31))
    #expect(!rule.isDeaf([state(0, age: 100, waits: true), state(1, age: 5)], signalAge: 31))
    #expect(!rule.isDeaf([state(0, .saving, age: 100), state(1, .saving, age: 100, waits: true)], signalAge: 31))
    #expect(rule.isDeaf([state(0, .saving, age: 601), state(1, .saving, age: 601, waits: true)], signalAge: 31))
    #expect(StallRule(timeout: 5).isDeaf(stuck, signalAge: 6))
  }

  @Test func theMessageSaysWhoWaitsForWhomSinceWhen() {
    let text = StallRule.description(
      [
        state(0, age: 612, waits: true), state(1, age: 615.4, waits: true),
        state(2, age: 620, step: 7, unheard: 4), state(3, age: 613, waits: true),
      ],
      hosts: ["a", "a", "b", "b", "c"])
    #expect(
      text == """
        no rank got further for 612 s; ranks 0 (a), 1 (a), 3 (b) wait for rank 2 (b)
          rank 0 (a): step 7, training, waiting in collective 3 of gradients, since 612 s
          rank 1 (a): step 7, training, waiting in collective 3 of gradients, since 615 s
          rank 2 (b): step 7, training, since 620 s, last heard of 4.0 s ago
          rank 3 (b): step 7, training, waiting in collective 3 of gradients, since 613 s
          nothing was ever heard of rank 4 (c)
        """)
  }

  @Test func whereAllWaitTheOnesBehindAreAwaited() {
    let waiting = (0..<3).map { state($0, age: 700, waits: true, number: $0 == 1 ? 2 : 3) }
    #expect(StallRule.awaited(waiting).map(\.rank) == [1])
    let equal = (0..<3).map { state($0, age: 700, waits: true) }
    #expect(StallRule.awaited(equal) == [])
    #expect(StallRule.description(equal, hosts: ["a", "a", "b"]).contains("all wait, as for a network that is down"))
  }

  @Test func aPlaceIsAWord() {
    for phase in RankProgress.Phase.allCases {
      for channel in CollectiveOrder.Channel.allCases.map(Optional.some) + [nil] {
        for isWaiting in [false, true] {
          let place = Place(phase: phase, channel: channel, isWaiting: isWaiting)
          #expect(Place(word: place.word) == place)
        }
      }
    }
  }
}

/// Which rank is of another job.
@Suite struct OneJobTests {
  private func facts(_ values: KeyValuePairs<String, String>) -> [JobFact] { values.map { JobFact($0.key, $0.value) } }

  @Test func theFirstKeyInWhichARankIsNotAsMostAre() {
    let usual = facts(["version": "1", "lr": "0.1", "seed": "3"])
    let odd = facts(["version": "1", "lr": "0.2", "seed": "4"])
    let hosts = ["a", "b", "c"]
    #expect(OneJob.first(in: [usual, usual, usual], hosts: hosts) == nil)
    #expect(
      OneJob.first(in: [odd, usual, usual], hosts: hosts)?.sentence == "'lr' is 0.2 on rank 0 (a) and 0.1 on rank 1 (b)"
    )
    #expect(
      OneJob.first(in: [usual, odd, usual], hosts: hosts)?.sentence == "'lr' is 0.2 on rank 1 (b) and 0.1 on rank 0 (a)"
    )
    #expect(
      OneJob.first(in: [usual, odd], hosts: hosts)?.sentence == "'lr' is 0.2 on rank 1 (b) and 0.1 on rank 0 (a)")
    let more = usual + facts(["clip": "3"])
    #expect(
      OneJob.first(in: [usual, usual, more], hosts: hosts)?.sentence
        == "'clip' is 3 on rank 2 (c) and absent on rank 0 (a)")
  }
}
