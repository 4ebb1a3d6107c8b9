import COCO
import Testing
import Training

/// What `data` may say of several files, of repeated images and of other kinds of data sets.
@Suite struct DatasetConfigurationTests {
  private static let pipeline = """
    [{type: LoadImageFromFile}, {type: LoadAnnotations, with_bbox: true}, {type: Resize, img_scale: [64, 64]}, \
    {type: RandomFlip, flip_ratio: 0.5}, {type: Normalize, mean: [0, 0, 0], std: [1, 1, 1]}, {type: Pad, size_divisor: 32}, \
    {type: DefaultFormatBundle}, {type: Collect, keys: [img, gt_bboxes, gt_labels]}]
    """
  private static let classes = "classes: [circle, rectangle, triangle, star, ring]"

  private static func coco(_ files: String, _ more: String = "") -> String {
    "{type: CocoDataset, \(files), \(classes), pipeline: \(pipeline)\(more)}"
  }

  private func train(_ text: String, _ options: [String] = []) throws -> DatasetConfiguration {
    try ConfigurationFixture.read(options: ["data.train=\(text)"] + options).run.data.train
  }

  @Test func listsOfFilesAreConcatenated() throws {
    let data = try train(Self.coco("data_root: d, ann_file: [a.json, /b.json], img_prefix: [a, b/]"))
    #expect(data.sources == [.init(path: "d/a.json", imgPrefix: "d/a"), .init(path: "/b.json", imgPrefix: "d/b/")])
    #expect(data.arrangement == .concatenation([.source(0), .source(1)]) && data.pictureFolder == "d")
    let one = try train(Self.coco("ann_file: [a.json, b.json], img_prefix: p"))
    #expect(one.sources.map(\.imgPrefix) == ["p", "p"] && one.pictureFolder == "p")
  }

  @Test func wrappersNest() throws {
    let inner = "{type: RepeatDataset, times: 3, dataset: \(Self.coco("ann_file: a.json"))}"
    let balanced = "{type: ClassBalancedDataset, oversample_thr: 0.25, dataset: \(Self.coco("ann_file: b.json"))}"
    let (a, b) = (DatasetArrangement.source(0), DatasetArrangement.source(1))
    let expected = DatasetArrangement.concatenation([
      .repetition(a, times: 3), .classBalance(b, oversampleThr: 0.25), a,
    ])
    let list = "[\(inner), \(balanced), \(Self.coco("ann_file: a.json"))]"
    for text in [list, "{type: ConcatDataset, datasets: \(list)}"] {
      let data = try train(text)
      #expect(data.arrangement == expected && data.sources.map(\.path) == ["a.json", "b.json"])
    }
    #expect(
      try train("{type: RepeatDataset, times: 2, dataset: \(list)}").arrangement == .repetition(expected, times: 2))
  }

  private static let coco20 = "model.roi_head.bbox_head.num_classes=20"
  private static func voc(_ files: String, _ more: String = "") -> String {
    "{type: VOCDataset, \(files), pipeline: \(pipeline)\(more)}"
  }
  private static let test = """
    {type: VOCDataset, ann_file: VOC2007/t.txt, img_prefix: VOC2007/, pipeline: [{type: LoadImageFromFile}, \
    {type: MultiScaleFlipAug, img_scale: [64, 64], flip: false, transforms: [{type: Resize, keep_ratio: true}, \
    {type: Normalize, mean: [0, 0, 0], std: [1, 1, 1]}, {type: Pad, size_divisor: 32}, {type: Collect, keys: [img]}]}]}
    """
  private static let measured = ["data.val=\(test)", "data.test=\(test)"]

  @Test func vocHasItsOwnClassesAndMetric() throws {
    let files = "ann_file: [VOC2007/t.txt, VOC2012/t.txt], img_prefix: [VOC2007/, VOC2012/]"
    let options =
      ["data.train={type: RepeatDataset, times: 3, dataset: \(Self.voc(files, ", min_size: 8"))}", Self.coco20]
      + Self.measured + ["evaluation={interval: 1, metric: mAP, iou_thr: [0.5, 0.75], save_best: auto}"]
    let run = try ConfigurationFixture.read(options: options).run
    let classes = try #require(run.data.train.classes)
    #expect(classes.count == 20 && classes[0] == "aeroplane" && classes[19] == "tvmonitor")
    #expect(run.data.train.sources.map(\.format) == .init(repeating: .voc(classes: classes, minSize: 8), count: 2))
    #expect(run.data.val?.sources[0].format == .voc(classes: classes, minSize: nil))
    #expect(run.evaluation?.isVOCs == true && run.evaluation?.iouThr == [0.5, 0.75])
    #expect(run.evaluation?.saveBest?.rawValue == "AP50")
  }

  @Test func cityscapesIsCOCOWithItsClasses() throws {
    let text = "{type: CityscapesDataset, ann_file: a.json, pipeline: \(Self.pipeline)}"
    let read = try ConfigurationFixture.read(options: [
      "data.train=\(text)", "model.roi_head.bbox_head.num_classes=8", "data.val=null", "data.test=null",
      "evaluation=null",
    ])
    #expect(read.run.data.train.classes?.last == "bicycle" && read.run.data.train.leavesOutCrowdImages)
  }

  @Test(arguments: [
    ("{type: LVISV1Dataset, ann_file: a.json}", "'data.train.type' is 'LVISV1Dataset', which is not supported yet"),
    ("{type: RepeatDataset, times: 0, dataset: {}}", "'data.train.times' is 0, expected a number from 1 to 10000"),
    ("{type: ConcatDataset, datasets: []}", "'data.train' lacks 'datasets'"), ("[]", "'data.train' names no data set"),
    (coco("ann_file: [a.json, b.json], img_prefix: [a]"), "expected as many as there are in 'ann_file', 2"),
    ("[\(coco("ann_file: a.json")), \(coco("ann_file: b.json", ", filter_empty_gt: false"))]", "differs from that"),
    (voc("ann_file: a.txt, img_prefix: VOC1999/"), "expected a folder with VOC2007 or VOC2012 in its path"),
    (
      "{type: ClassBalancedDataset, oversample_thr: 2, dataset: {}}",
      "'data.train.oversample_thr' is 2, expected a number from 0 to 1"
    ),
  ])
  func refuses(_ text: String, _ message: String) throws {
    let found = try ConfigurationFixture.message { try ConfigurationFixture.read(options: ["data.train=\(text)"]) }
    #expect(found.contains("error: ") && found.contains(message), "\(found)")
  }

  @Test(arguments: [
    (
      ["data.val.ann_file=[a.json, b.json]"],
      "'data.val.ann_file' is a list of 2, but data sets are measured one by one"
    ),
    (["data.val={type: RepeatDataset}"], "'data.val.type' is 'RepeatDataset', but data sets are measured one by one"),
    (["evaluation.metric=mAP"], "'evaluation.metric' is mAP, expected bbox"),
    (["evaluation.iou_thr=0.5"], "'evaluation.iou_thr' is about a VOCDataset"),
    (measured + ["evaluation.metric=bbox"], "'evaluation.metric' is bbox, expected mAP for a VOCDataset"),
    (measured + ["evaluation={save_best: bbox_mAP}"], "expected one of AP50, mAP"),
    (measured + ["evaluation={iou_thrs: [0.5]}"], "'evaluation.iou_thrs' is about COCO's metrics"),
  ])
  func refusesToMeasure(_ options: [String], _ message: String) throws {
    var options = options
    if options.count > 1 {
      options += ["data.train=\(Self.voc("ann_file: VOC2007/t.txt, img_prefix: VOC2007/"))", Self.coco20]
    }
    let found = try ConfigurationFixture.message { try ConfigurationFixture.read(options: options) }
    #expect(found.contains("error: ") && found.contains(message), "\(found)")
  }
}
