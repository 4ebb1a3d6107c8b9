/// The channels of a convolution in groups of as many outputs as inputs, sixteen at a time: a vector of output channels
/// sees the input channels of its groups, from a multiple of 16 to one. Where groups are no multiples of 16, these are
/// more than a single channel sees, and the weights in between are zeros: a block of the diagonal for each vector.
///
/// The same holds the other way round, from output channels to input channels.
struct GroupedChannels {
  /// Neighbouring vectors that see the same channels.
  struct Block {
    let vectors: Range<Int>
    /// Multiples of 16.
    let sources: Range<Int>

    var channels: Int { vectors.count * Vector.scalarCount }
    var firstChannel: Int { vectors.lowerBound * Vector.scalarCount }
  }

  /// The most vectors of a block.
  private static let mostVectors = 4
  /// So many jobs keep the threads busy.
  private static let leastJobs = 8

  /// The channels of a group.
  let group: Int
  /// The vectors of all channels.
  let vectors: Int
  let blocks: [Block]

  /// Nil for convolutions that are not of this kind.
  init?(_ shape: ConvolutionShape) {
    let (group, length) = (shape.groupInChannels, Vector.scalarCount)
    guard shape.groups > 1, group == shape.groupOutChannels, shape.inChannels % length == 0 else { return nil }
    (self.group, vectors) = (group, shape.inChannels / length)
    var blocks: [Block] = []
    for vector in 0..<vectors {
      let sources = Self.sources(of: vector, group: group)
      if let last = blocks.last, last.sources == sources, last.vectors.count < Self.mostVectors {
        blocks[blocks.count - 1] = Block(vectors: last.vectors.lowerBound..<vector + 1, sources: sources)
      } else {
        blocks.append(Block(vectors: vector..<vector + 1, sources: sources))
      }
    }
    self.blocks = blocks
  }

  /// Blocks for jobs that each need a whole one: fewer vectors a block where there are few blocks.
  var jobs: [Block] {
    guard blocks.count < Self.leastJobs else { return blocks }
    return blocks.flatMap { block in block.vectors.map { Block(vectors: $0..<$0 + 1, sources: block.sources) } }
  }

  /// The blocks in runs that see no more channels than this, if they can.
  func runs(sources limit: Int) -> [ArraySlice<Block>] {
    var (runs, first, sum): ([ArraySlice<Block>], Int, Int) = ([], 0, 0)
    for (index, block) in blocks.enumerated() {
      if index > first, sum + block.sources.count > limit {
        runs.append(blocks[first..<index])
        (first, sum) = (index, 0)
      }
      sum += block.sources.count
    }
    return runs + [blocks[first...]]
  }

  /// As many runs of `jobs` as keep the threads busy.
  var jobRuns: [ArraySlice<Block>] {
    let jobs = self.jobs
    let length = (jobs.count + Self.leastJobs - 1) / Self.leastJobs
    return stride(from: 0, to: jobs.count, by: length).map { jobs[$0..<min(jobs.count, $0 + length)] }
  }

  /// The blocks of each job, where there are so many parts of a map. As many as there can be: they lie side by side in
  /// the map's pixels.
  func chunks(beside parts: Int) -> [ArraySlice<Block>] {
    let count = max(1, min(blocks.count, (2 * Self.leastJobs + parts - 1) / max(1, parts)))
    let length = (blocks.count + count - 1) / count
    return stride(from: 0, to: blocks.count, by: length).map { blocks[$0..<min(blocks.count, $0 + length)] }
  }

  /// What a vector sees.
  func sources(of vector: Int) -> Range<Int> { Self.sources(of: vector, group: group) }
  /// The most channels that a vector sees.
  var mostSources: Int { blocks.map(\.sources.count).max() ?? 0 }
  /// The most channels that a block has and sees.
  var mostOfBlock: Int { blocks.map { $0.sources.count + $0.channels }.max() ?? 0 }
  /// Whether vectors see their group and no more.
  var areWhole: Bool { group % Vector.scalarCount == 0 }

  private static func sources(of vector: Int, group: Int) -> Range<Int> {
    let length = Vector.scalarCount
    let first = vector * length / group * group
    let end = ((vector + 1) * length - 1) / group * group + group
    return first / length * length..<(end + length - 1) / length * length
  }
}

extension ArraySlice<GroupedChannels.Block> {
  /// Of all the blocks together; blocks that overlap count twice.
  var sources: Int { reduce(0) { $0 + $1.sources.count } }
  /// The vectors' channels, which are neighbours.
  var channels: Int { reduce(0) { $0 + $1.channels } }
  var firstChannel: Int { self[startIndex].firstChannel }
}

/// The weights `[out, taps, in / groups]` of a convolution in groups, where each vector of outputs has a matrix
/// `[16, taps, sources]`, with zeros for what an output doesn't see.
struct GroupedWeights {
  private let channels: GroupedChannels
  private let taps: Int
  private let base: Floats
  /// Where the matrix of each vector begins.
  private let offsets: [Int]

  /// The floats that it takes.
  static func count(_ channels: GroupedChannels, taps: Int) -> Int {
    channels.areWhole ? 0 : offsets(channels, taps)[channels.vectors]
  }

  /// - Parameter memory: room for `count` floats.
  init(_ weight: Floats, _ channels: GroupedChannels, taps: Int, in memory: Floats, _ workers: Workers) {
    (self.channels, self.taps, offsets) = (channels, taps, Self.offsets(channels, taps))
    // Then the weights are these matrices already.
    guard !channels.areWhole else { base = weight; return }
    base = memory
    let (group, length) = (channels.group, Vector.scalarCount)
    workers.run(jobs: channels.vectors) { vector, _ in
      let sources = channels.sources(of: vector)
      matrix(vector).update(repeating: 0, count: length * taps * sources.count)
      for o in 0..<length {
        let channel = vector * length + o
        for tap in 0..<taps {
          let target = matrix(vector) + (o * taps + tap) * sources.count + channel / group * group - sources.lowerBound
          target.update(from: weight + (channel * taps + tap) * group, count: group)
        }
      }
    }
  }

  private static func offsets(_ channels: GroupedChannels, _ taps: Int) -> [Int] {
    (0..<channels.vectors).reduce(into: [0]) { offsets, vector in
      offsets.append(offsets[vector] + Vector.scalarCount * taps * channels.sources(of: vector).count)
    }
  }

  /// `[16, taps, sources]` of a vector of outputs.
  func matrix(_ vector: Int) -> Floats { base + offsets[vector] }

  /// The weights of output `o` to sixteen inputs: the first of `taps` vectors, and how far it is from one to the next.
  func line(from o: Int, to vector: Int) -> (start: Floats, stride: Int) {
    let (row, length) = (o / Vector.scalarCount, Vector.scalarCount)
    let sources = channels.sources(of: row)
    return (
      matrix(row) + o % length * taps * sources.count + vector * length - sources.lowerBound, sources.count
    )
  }

  /// Adds the gradient of a block's matrices, `[channels, taps, sources]`, to that of the weights.
  static func addGradient(
    _ matrices: Floats, of block: GroupedChannels.Block, taps: Int, group: Int, to dw: Floats
  ) {
    for o in 0..<block.channels {
      let channel = block.firstChannel + o
      for tap in 0..<taps {
        let source =
          matrices + (o * taps + tap) * block.sources.count + channel / group * group - block.sources.lowerBound
        let target = dw + (channel * taps + tap) * group
        for c in 0..<group { target[c] += source[c] }
      }
    }
  }
}
