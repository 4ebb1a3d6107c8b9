import COCO
import Foundation

extension DataSection {
  init(_ section: ConfigurationSection) throws {
    samplesPerGPU = try section.optional("samples_per_gpu")
    try section.check((samplesPerGPU ?? 1) > 0, "samples_per_gpu", expected: "a number from 1 on")
    if let older: Int = try section.optional("imgs_per_gpu") {
      try section.check(older > 0, "imgs_per_gpu", expected: "a number from 1 on")
      let isOther = samplesPerGPU != nil && older != samplesPerGPU
      section.notice(
        "imgs_per_gpu",
        "is the older name of 'samples_per_gpu'" + (isOther ? ", and is used in its stead, as mmdetection does" : ""))
      samplesPerGPU = older
    }
    try section.read("workers_per_gpu", into: &workersPerGPU)
    try section.check(workersPerGPU >= 0, "workers_per_gpu", expected: "a number from 0 on")
    section.ignore("persistent_workers", "pin_memory", because: "images are prepared by threads of this program")
    train = try DatasetConfiguration.train(of: section)
    val = try DatasetConfiguration.measured("val", of: section)
    test = try DatasetConfiguration.measured("test", of: section)
  }
}

extension DataSection {
  mutating func usePictureRules(_ rules: PictureRules) {
    train.pictureRules = rules
    val?.pictureRules = rules
    test?.pictureRules = rules
  }
}
