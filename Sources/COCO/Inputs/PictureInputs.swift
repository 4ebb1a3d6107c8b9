import Foundation
import Primitives

/// The pictures that files, folders and patterns on a command line stand for. All are looked up before anything is done
/// with one.
public struct PictureInputs: Sendable {
  /// In the order given, those of a folder or a pattern by name. None is there twice.
  public let paths: [String]
  /// What folders and patterns gave, what of it was passed over, and what was named twice: a sentence each.
  public let notices: [String]

  /// - Parameters:
  ///   - arguments: a file is taken whatever it holds; of a folder or a pattern its pictures are, told by the ending of
  ///     the name or by the content. What is hidden is left out.
  ///   - isRecursive: folders in folders are looked into, too; links to folders are not.
  ///   - outputFolder: what lies in it is left out where a search comes upon it: results of an earlier run.
  /// - Throws: `COCOError` that lists what is not there (66).
  public init(_ arguments: [String], isRecursive: Bool, leavingOut outputFolder: String) throws {
    var search = PictureSearch(isRecursive: isRecursive, outputFolder: outputFolder)
    for argument in arguments { search.add(argument) }
    if let error = search.error(arguments.count) { throw error }
    paths = search.paths
    notices = search.notices
  }
}

/// Collects pictures.
private struct PictureSearch {
  private let isRecursive: Bool
  private var canonical = CanonicalPaths()
  private let outputFolder: String?
  private(set) var paths: [String] = []
  /// By their bytes: texts of one canonical form are equal, files of such names are not.
  private var seen: Set<[UInt8]> = []
  private var repetitions = 0
  private var gathered: [String] = []
  private var missing: [(path: String, reason: String)] = []

  init(isRecursive: Bool, outputFolder: String) {
    self.isRecursive = isRecursive
    self.outputFolder = canonical.ofFolder(outputFolder)
  }

  /// What an argument gave.
  private struct Harvest {
    /// Whether pictures in the output folder are left out.
    let leavesOutput: Bool
    var pictures = 0
    var others: [String] = []
    var folders = 0
    var folderLinks = 0
    var results = 0
    var unnameable = 0
  }

  mutating func add(_ argument: String) {
    var status = stat()
    if stat(argument, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else { return take(argument) }
      var harvest = Harvest(leavesOutput: !isOutput(argument))
      do throws(Folder.ListingError) { try gather(argument, into: &harvest) } catch {
        return missing.append((argument, "cannot be read: \(error.reason)"))
      }
      return conclude(argument, harvest, empty: "no picture is in this folder")
    }
    let code = errno
    guard code == ENOENT || code == ENOTDIR else {
      return missing.append((argument, "cannot be read: \(String(cString: strerror(code)))"))
    }
    guard PathPattern.isPattern(argument), lstat(argument, &status) != 0 else {
      return missing.append((argument, "the file does not exist\(Self.hint(for: argument))"))
    }
    var harvest = Harvest(leavesOutput: !isOutput(PathPattern.root(of: argument)))
    for path in PathPattern.paths(argument) {
      if Folder.exists(path) {
        do throws(Folder.ListingError) { try gather(path, into: &harvest) } catch {
          missing.append((path, "cannot be read: \(error.reason)"))
        }
      } else {
        take(path, into: &harvest)
      }
    }
    conclude(argument, harvest, empty: "no picture matches this pattern")
  }

  private mutating func gather(_ folder: String, into harvest: inout Harvest) throws(Folder.ListingError) {
    let (entries, unnameable) = try Folder.entries(of: folder)
    harvest.unnameable += unnameable
    for entry in entries {
      let path = Folder.join(folder, entry.name)
      switch entry.kind {
      case .file: take(path, into: &harvest)
      case .folder where isRecursive: try gather(path, into: &harvest)
      case .folder: harvest.folders += 1
      case .link where Folder.exists(path): harvest.folderLinks += 1
      case .link: take(path, into: &harvest)
      case .other: harvest.others.append(path)
      }
    }
  }

  private mutating func take(_ path: String, into harvest: inout Harvest) {
    if harvest.leavesOutput, isOutput(Folder.above(path)) {
      harvest.results += 1
    } else if PictureName.isKnown(path) || (try? PictureHeader(reading: path)) != nil {
      harvest.pictures += 1
      take(path)
    } else {
      harvest.others.append(path)
    }
  }

  private mutating func take(_ path: String) {
    if seen.insert(Array(canonical.ofFile(path).utf8)).inserted { paths.append(path) } else { repetitions += 1 }
  }

  private mutating func isOutput(_ folder: String) -> Bool {
    guard let outputFolder, let folder = canonical.ofFolder(folder) else { return false }
    return folder == outputFolder || folder.hasPrefix(outputFolder == "/" ? "/" : "\(outputFolder)/")
  }

  private mutating func conclude(_ argument: String, _ harvest: Harvest, empty: String) {
    var passedOver: [String] = []
    func add(_ count: Int, _ one: String, _ many: String) {
      if count > 0 { passedOver.append("\(count) \(count == 1 ? one : many)") }
    }
    let names = FirstFew.words(harvest.others, most: 3)
    add(harvest.others.count, "file that is no picture (\(names))", "files that are no pictures (\(names))")
    add(harvest.folders, "folder (--recursive looks into it)", "folders (--recursive looks into them)")
    add(harvest.folderLinks, "link to a folder", "links to folders")
    add(harvest.results, "file in the output folder", "files in the output folder")
    add(harvest.unnameable, "file whose name is no UTF-8", "files whose names are no UTF-8")
    let rest = passedOver.joined(separator: ", ")
    if harvest.pictures == 0 {
      missing.append((argument, empty + (rest.isEmpty ? "" : "; there is \(rest)")))
    } else {
      let pictures = "\(harvest.pictures) picture\(harvest.pictures == 1 ? "" : "s")"
      gathered.append("\(argument): \(pictures)\(rest.isEmpty ? "" : "; passed over: \(rest)")")
    }
  }

  var notices: [String] {
    let repeated = "\(repetitions) of the pictures \(repetitions == 1 ? "is" : "are") named again: each is taken once"
    return gathered + (repetitions > 0 ? [repeated] : [])
  }

  func error(_ count: Int) -> COCOError? {
    guard let first = missing.first else { return nil }
    guard missing.count > 1 else { return COCOError(.inputMissing, at: first.path, first.reason) }
    let lines = FirstFew.lines(missing.map { "\($0.path): \($0.reason)" }, most: 20)
    return COCOError(
      .inputMissing, at: "predict",
      "\(missing.count) of \(count) inputs can't be used, and nothing was begun:\(lines)")
  }

  /// A link that leads nowhere, or a name that is spelt otherwise on disk.
  private static func hint(for path: String) -> String {
    var status = stat()
    if lstat(path, &status) == 0 { return " (it is a link that leads nowhere)" }
    let above = Folder.above(path)
    let name = String(path.split(separator: "/").last ?? "")
    let spelling =
      NearMisses(in: above.isEmpty ? "." : above).spelling(of: name)
      ?? (path.hasPrefix("/") ? nil : NearMisses(in: ".").spelling(of: path))
    return spelling.map { " (\($0))" } ?? ""
  }
}

/// What the ending of a name says.
enum PictureName {
  /// Those that are not read here are among them: such a file is reported, not passed over.
  private static let endings: Set = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "dib", "tif", "tiff", "gif", "heic", "heif", "avif", "jp2",
    "ppm", "pgm",
  ]

  static func isKnown(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return name.lastIndex(of: ".").map { endings.contains(name[name.index(after: $0)...].lowercased()) } ?? false
  }
}

/// Paths without links in their folders. A folder is looked up once.
private struct CanonicalPaths {
  private var folders: [[UInt8]: String] = [:]

  /// nil where there is none.
  mutating func ofFolder(_ path: String) -> String? {
    let path = path.isEmpty ? "." : path
    let key = Array(path.utf8)
    if let known = folders[key] { return known }
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    let text = String(cString: found)
    folders[key] = text
    return text
  }

  mutating func ofFile(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    let above = Folder.above(path)
    return "\(ofFolder(above) ?? above)/\(name)"
  }
}
