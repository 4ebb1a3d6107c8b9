import Layers

extension NormConfiguration {
  init(_ section: ConfigurationSection) throws {
    let type = try section.type("BN", "SyncBN", "GN", default: "BN")
    let requiresGrad = try section.optional("requires_grad") ?? true
    try section.only("eps", 1e-5)
    switch type {
    case "GN": self = .group(groups: try section.required("num_groups"), requiresGrad: requiresGrad)
    case "SyncBN":
      try section.only("momentum", 0.1)
      self = .syncBatch(requiresGrad: requiresGrad)
    default:
      try section.only("momentum", 0.1)
      self = .batch(requiresGrad: requiresGrad)
    }
  }
}
