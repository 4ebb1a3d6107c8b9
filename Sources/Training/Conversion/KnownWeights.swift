/// The files behind the short addresses of configurations: facts of PyTorch's and mmcv 1.3's lists.
enum KnownWeights {
  /// For the backbones that there are here; each name's files, of which any would do, the one to fetch first.
  /// - Returns: nil for a scheme that has no list.
  static func files(scheme: String) -> [String: [String]]? {
    switch scheme {
    case "torchvision", "modelzoo": torchvision
    case "open-mmlab", "openmmlab": openMMLab
    default: nil
    }
  }

  /// torchvision's. Those of the ResNets have been saved twice with the same weights.
  private static let torchvision: [String: [String]] = [
    "resnet18": ["f37072fd", "5c106cde"], "resnet34": ["b627a593", "333f7ec4"], "resnet50": ["0676ba61", "19c8e357"],
    "resnet101": ["63fe2227", "5d3b4d8f"], "resnet152": ["394f9c45", "b121ed2d"],
    "resnext50_32x4d": ["7cdf4587"], "resnext101_32x8d": ["8ba56ff5"],
  ].reduce(into: [:]) { table, entry in
    table[entry.key] = entry.value.map { "https://download.pytorch.org/models/\(entry.key)-\($0).pth" }
  }

  /// mmcv's, with its older names for them.
  private static let openMMLab: [String: [String]] = [
    "detectron/resnet50_caffe": "resnet50_caffe-788b5fa3", "resnet50_caffe": "resnet50_caffe-788b5fa3",
    "detectron2/resnet50_caffe": "resnet50_msra-5891d200", "resnet50_caffe_bgr": "resnet50_msra-5891d200",
    "detectron/resnet101_caffe": "resnet101_caffe-3ad79236", "resnet101_caffe": "resnet101_caffe-3ad79236",
    "detectron2/resnet101_caffe": "resnet101_msra-6cc46731", "resnet101_caffe_bgr": "resnet101_msra-6cc46731",
    "contrib/resnet50_gn": "resnet50_gn_thangvubk-ad1730dd", "detectron/resnet50_gn": "resnet50_gn-9186a21c",
    "resnet50_gn": "resnet50_gn-9186a21c", "detectron/resnet101_gn": "resnet101_gn-cac0ab98",
    "resnet101_gn": "resnet101_gn-cac0ab98",
    "jhu/resnet50_gn_ws": "resnet50_gn_ws-15beedd8", "jhu/resnet101_gn_ws": "resnet101_gn_ws-3e3c308c",
    "jhu/resnext50_32x4d_gn_ws": "resnext50_32x4d_gn_ws-0d87ac85",
    "jhu/resnext101_32x4d_gn_ws": "resnext101_32x4d_gn_ws-34ac1a9e",
    "jhu/resnext50_32x4d_gn": "resnext50_32x4d_gn-c7e8b754",
    "jhu/resnext101_32x4d_gn": "resnext101_32x4d_gn-ac3bb84e",
    "resnext50_32x4d": "resnext50-32x4d-0ab1a123", "resnext101_32x4d": "resnext101_32x4d-a5af3160",
    "resnext101_64x4d": "resnext101_64x4d-ee2c6f71", "detectron2/resnext101_32x8d": "resnext101_32x8d-1516f1aa",
    "regnetx_400mf": "regnetx_400mf-a5b10d96", "regnetx_800mf": "regnetx_800mf-1f4be4c7",
    "regnetx_1.6gf": "regnetx_1.6gf-5791c176", "regnetx_3.2gf": "regnetx_3.2gf-c2599b0f",
    "regnetx_4.0gf": "regnetx_4.0gf-a88f671e", "regnetx_6.4gf": "regnetx_6.4gf-006af45d",
    "regnetx_8.0gf": "regnetx_8.0gf-3c68abe7", "regnetx_12gf": "regnetx_12gf-4c2a3350",
    "resnet18_v1c": "resnet18_v1c-b5776b93", "resnet50_v1c": "resnet50_v1c-2cccc1ad",
    "resnet101_v1c": "resnet101_v1c-e67eebb6",
  ].mapValues { ["https://download.openmmlab.com/pretrain/third_party/\($0).pth"] }
}
