import Foundation
import Testing

extension ProgramTests {
  /// `rcnn-train weights`.
  @Suite struct WeightsCommandTests {
    private let run: TinyRun
    private let hub: String

    init() throws {
      run = try TinyRun()
      hub = run.folder.path("torch/hub/checkpoints")
      try FileManager.default.createDirectory(atPath: hub, withIntermediateDirectories: true)
    }

    private func weights(_ options: [String], _ flags: [String] = []) throws -> Outcome {
      try run.program.run(
        ["weights", "tiny.yaml"] + flags + ["--cfg-options"] + options,
        environment: ["TORCH_HOME": run.folder.path("torch")])
    }

    @Test("It names the files, the folders, and the address to fetch from")
    func missing() throws {
      let outcome = try weights(["model.pretrained=torchvision://resnet18", "mpi.weights_dir=mine"])
      #expect(outcome.code == 66)
      let wanted = [
        "model.pretrained: torchvision://resnet18", "  looked for: resnet18-f37072fd.pth, or resnet18-5c106cde.pth",
        "  in: mine, then \(hub), then \(run.folder.path("torch/checkpoints"))",
      ]
      for line in wanted { #expect(outcome.output.contains(line + "\n"), "\(outcome)") }
      let address = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
      #expect(outcome.output.contains("fetch \(address) and put it into mine"))
      let addresses = try weights(["model.pretrained=torchvision://resnet18"], ["--urls"])
      #expect(addresses.output == address + "\n")
    }

    @Test("Without any it says so")
    func none() throws {
      let none = try weights(["model.pretrained=null"])
      #expect(none.code == 0 && none.output.contains("training starts at random"), "\(none)")
    }

    @Test("It reads the whole file, and compares its digest with its name")
    func whole() throws {
      try run.train("work", ranks: 1, batch: 2, iterations: 1)
      try run.program.succeed(["convert", "work/latest.h5", "model.pth"])
      let digest = Process()
      let pipe = Pipe()
      digest.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      digest.arguments = ["sha256sum", run.folder.path("model.pth")]
      digest.standardOutput = pipe
      try digest.run()
      digest.waitUntilExit()
      let digits = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).prefix(8)
      let path = "\(hub)/tiny-\(digits).pth"
      try FileManager.default.copyItem(atPath: run.folder.path("model.pth"), toPath: path)

      let address = "load_from=https://host/zoo/tiny-\(digits).pth"
      let good = try weights([address, "model.pretrained=torchvision://resnet18"])
      #expect(good.code == 0, "what load_from brings makes the other needless: \(good)")
      #expect(good.output.contains("  whole: \(path), "), "\(good)")
      #expect(good.output.contains("as the digits in its name say"), "\(good)")
      #expect(good.output.contains("not read: load_from brings all weights"), "\(good)")
      #expect(try weights([address, "model.pretrained=torchvision://resnet18"], ["--urls"]).output.isEmpty)
      #expect(try weights(["load_from=work"]).output.contains("  whole: work, "))

      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try bytes.dropLast(1).write(to: URL(fileURLWithPath: path))
      let damaged = try weights([address])
      #expect(damaged.code == 65 && damaged.output.contains("  damaged: \(path): error: "), "\(damaged)")
      try bytes.dropLast(100).write(to: URL(fileURLWithPath: run.folder.path("model.pth")))
      let cut = try weights(["load_from=model.pth"])
      #expect(cut.code == 65 && cut.output.contains("  damaged: model.pth: error: "), "\(cut)")
    }
  }
}
