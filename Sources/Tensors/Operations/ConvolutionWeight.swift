import Kernels

/// How a convolution's kernel moves over a map, torch's `Conv2d`, along both axes; and how its channels are grouped.
public struct ConvolutionGeometry: Equatable, Sendable {
  /// The input cells from one window to the next.
  public var stride: Int
  /// Zeros on each side.
  public var padding: Int
  /// The input cells from one tap of the kernel to the next.
  public var dilation: Int
  /// An output channel sees the input channels of its group alone.
  public var groups: Int

  public init(stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1) {
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
  }
}

/// The weights `[out, in / groups, kernelHeight, kernelWidth]` of a convolution, in `ParameterLayout.convolution`: a
/// parameter, or what an operation made of one (`standardized`).
public struct ConvolutionWeight {
  let parameter: Parameter
  /// What takes the place of the parameter's values; of its shape, as it lies in memory.
  let folded: Tensor?

  /// The parameter itself.
  public init(_ parameter: Parameter) { self.init(parameter, folded: nil) }

  init(_ parameter: Parameter, folded: Tensor?) { (self.parameter, self.folded) = (parameter, folded) }

  public var name: String { parameter.name }
  public var shape: [Int] { parameter.shape }
  var values: Floats { folded?.values ?? parameter.values }
  /// Whether a gradient is wanted.
  var isTrained: Bool { folded?.needsGradient ?? parameter.isTrainable }
  /// The parameter, if a convolution adds to its gradient itself.
  var trained: [Parameter] { folded == nil && parameter.isTrainable ? [parameter] : [] }

  /// What a backward pass captures of it, beside `folded`, which it is given.
  var learned: Learned { Learned(parameter: parameter, slot: folded?.gradientSlot, isTrained: isTrained) }

  /// Where a backward pass finds weights, and the place of their gradient.
  struct Learned {
    fileprivate let parameter: Parameter
    fileprivate let slot: GradientSlot?
    let isTrained: Bool

    /// The floats.
    var count: Int { parameter.count }
    /// - Parameter folded: what was recorded to be read.
    func values(_ folded: Floats?) -> Floats { folded ?? parameter.values }
    /// To be added to; nil where none is wanted.
    var gradient: Floats? { isTrained ? slot?.toAddTo() ?? parameter.gradient : nil }
  }
}
