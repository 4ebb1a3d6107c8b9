import Foundation
import Primitives

/// Something that TensorBoard shows under a name: names with the same beginning up to a `/` stand together.
public struct SummaryValue: Sendable {
  public enum Content: Sendable {
    /// A point of a curve, which files hold in single precision.
    case scalar(Double)
    /// A picture of three channels as the bytes of a JPEG or PNG file.
    case picture([UInt8], ImageSize)
  }

  public let tag: String
  public let content: Content

  public init(_ tag: String, _ content: Content) { (self.tag, self.content) = (tag, content) }

  public init(_ tag: String, _ number: Double) { self.init(tag, .scalar(number)) }

  package var message: Summary.Value {
    var message = Summary.Value()
    message.tag = tag
    switch content {
    case .scalar(let number): message.simpleValue = Float(number)
    case .picture(let bytes, let size):
      message.image.height = Int32(size.height)
      message.image.width = Int32(size.width)
      message.image.colorspace = 3
      message.image.encodedImageString = Data(bytes)
    }
    return message
  }
}
