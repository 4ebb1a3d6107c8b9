import COCO
import Foundation
import Primitives

/// A picture that stands in the page itself, as a JPEG.
struct EmbeddedPicture {
  let markup: Markup

  /// - Parameter text: what is to be seen, for those who don't see it.
  /// - Throws: `OutputError`.
  init(_ drawing: Drawing, text: String) throws {
    let bytes = try ImageEncoder.jpeg(
      drawing.pixels, drawing.size, .bgr, quality: 82, .full, "a picture of the page")
    let size = drawing.size
    markup = """
      <img src="data:image/jpeg;base64,\(bytes.base64EncodedString())" width="\(size.width)" height="\(size.height)" \
      alt="\(text)"/>
      """
  }
}

/// The colours of classes in drawn pictures.
struct ClassLegend {
  /// - Parameters:
  ///   - labels: of those that are to be seen.
  ///   - drawn: other names that pictures have for classes, see `ClassCaptions`.
  static func markup(_ labels: Set<Int>, names: [String], ids: [Int64], drawn: [String]) -> Markup {
    let entries = labels.sorted().map { label -> Markup in
      let color = Drawing.color(ofCategory: ids[label])
      let other = drawn[label] == names[label] ? "" : " (drawn as \(drawn[label]))"
      return """
        <li><svg viewBox="0 0 26 10" aria-hidden="true"><rect x="1" y="0" width="24" height="10" \
        fill="rgb(\(Int(color.red)), \(Int(color.green)), \(Int(color.blue)))" stroke="#000"/></svg>\(names[label])\(other)</li>
        """
    }
    return entries.isEmpty ? "" : "<ul class=\"legend\">\n\(entries)\n</ul>"
  }
}
