import Testing

/// What `evaluation` and `mpi.eval_area_ranges` may say.
@Suite struct ConfigurationEvaluationTests {
  @Test func optionsAreRead() throws {
    let run = try ConfigurationFixture.read(options: [
      "evaluation={proposal_nums: [1, 100, 500], iou_thrs: [0.5, 0.6, 0.75], metric_items: [mAP_tiny, AR@500], save_best: auto}",
      "mpi.eval_area_ranges={tiny: [0, 256], rest: [256, .inf]}",
    ])
    #expect(run.notices.isEmpty)
    #expect(run.run.evaluation?.proposalNums == [1, 100, 500] && run.run.evaluation?.iouThrs == [0.5, 0.6, 0.75])
    #expect(run.run.evaluation?.metricItems == ["mAP_tiny", "AR@500"])
    #expect(run.run.evaluation?.saveBest?.rawValue == "bbox_mAP_tiny")
    #expect(run.run.mpi.evalAreaRanges?.map(\.areas) == [0...256, 256...Double.infinity])
    let one = try ConfigurationFixture.read(options: ["evaluation={metric_items: mAP_50, save_best: bbox_mAP_50}"]).run
    #expect(one.evaluation?.metricItems == ["mAP_50"])
  }

  @Test func whatCannotBeMeasuredGetsANotice() throws {
    let read = try ConfigurationFixture.read(options: ["evaluation={proposal_nums: [1, 10, 500], iou_thrs: [0.5, 0.6]}"]
    )
    #expect(
      read.notices.map { $0.replacing(#/^.*notice: /#, with: "") } == [
        "'evaluation.proposal_nums' has no 100: bbox_mAP counts 500 detections, where pycocotools would give -1",
        "'evaluation.iou_thrs' does not hold 0.75: bbox_mAP_75 is -1",
      ])
  }

  @Test(arguments: [
    (
      "evaluation={proposal_nums: [1, 10]}",
      "'evaluation.proposal_nums' is [1, 10], expected three numbers from 1 on in ascending order"
    ),
    (
      "evaluation={iou_thrs: [0.5, 0.5]}",
      "'evaluation.iou_thrs' is [0.5, 0.5], expected numbers above 0 and up to 1 in ascending order"
    ),
    (
      "evaluation={metric_items: [AR@100], proposal_nums: [1, 10, 500]}",
      "'evaluation.metric_items' asks for 'AR@100'; expected names among mAP, mAP_50, mAP_75, mAP_s, mAP_m, mAP_l, AR@1, "
        + "AR@10, AR@500, AR_s@500, AR_m@500, AR_l@500"
    ),
    (
      "evaluation={save_best: bbox_mAP_75, metric_items: [mAP, mAP_50]}",
      "'evaluation.save_best' is 'bbox_mAP_75', which is not reported; expected auto or one of bbox_mAP, bbox_mAP_50"
    ),
    (
      "evaluation={save_best: bbox_mAP_75, iou_thrs: [0.5]}",
      "'evaluation.save_best' is 'bbox_mAP_75', which is not reported; expected auto or one of bbox_mAP, bbox_mAP_50, "
        + "bbox_mAP_s, bbox_mAP_m, bbox_mAP_l"
    ),
    (
      "mpi.eval_area_ranges={tiny: [256, 0]}",
      "'mpi.eval_area_ranges' has 'tiny: [256, 0]', expected names with [smallest, largest] area in square pixels, at "
        + "most 15"
    ),
  ])
  func refuses(_ option: String, _ message: String) throws {
    let text = try ConfigurationFixture.message { try ConfigurationFixture.read(options: [option]) }
    #expect(text.contains("error: \(message)"), "\(text)")
  }
}
