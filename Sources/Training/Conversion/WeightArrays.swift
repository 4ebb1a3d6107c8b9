/// What a file of weights holds, under the file's own names.
struct WeightArrays {
  private(set) var arrays: [Checkpoint.Array] = []
  /// `num_batches_tracked` of batch norms: whole numbers that no layer here has.
  private(set) var batchCounts: [String: Int] = [:]
  /// How many arrays were rounded to float32, and an example.
  private var narrowed: (count: Int, example: String) = (0, "")
  /// The names of what isn't an array of numbers.
  var passedOver: [String] = []
  /// The names of the classes, where the file has them; those of torchvision's 91 outputs are known without.
  var classes: [String] = []

  /// - Parameter bytes: as many as the shape has elements of the format.
  mutating func append(_ name: String, shape: [Int], _ format: NumberFormat, _ bytes: ArraySlice<UInt8>) {
    if name.hasSuffix(Self.countName), format == .int64, bytes.count == 8 {
      let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      batchCounts[name] = Int(Int64(bitPattern: bits))
      return
    }
    if !format.widensExactly {
      narrowed.count += 1
      if narrowed.count == 1 { narrowed.example = name }
    }
    arrays.append(Checkpoint.Array(name: name, shape: shape, values: format.floats(bytes)))
  }

  static let countName = "num_batches_tracked"

  /// What was lost by the reading, each a sentence.
  var notices: [String] {
    var notices: [String] = []
    if narrowed.count > 0 {
      notices.append("\(narrowed.count) arrays of 64 bits a number were rounded to float32 ('\(narrowed.example)', …)")
    }
    if let first = passedOver.first {
      notices.append("\(passedOver.count) entries that are no arrays of numbers were passed over ('\(first)', …)")
    }
    return notices
  }
}
