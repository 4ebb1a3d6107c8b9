internal import CMachine

/// A decimal number that is exact without more than 64 bits; there are no others in most files.
struct DecimalNumber {
  /// The digits as a whole number, with the sign; without a fraction that is the number.
  private(set) var significand: Int64 = 0
  /// Digits after the point.
  private var scale = 0

  /// 10⁰ … 10²², which doubles hold exactly.
  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]

  /// A number as JSON writes it, or nil if it has an exponent or too many digits.
  init?(_ text: some Collection<UInt8>) {
    var (isNegative, hasPoint) = (false, false)
    for byte in text {
      switch byte {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): hasPoint = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        significand = significand * 10 + Int64(byte - UInt8(ascii: "0"))
        scale += hasPoint ? 1 : 0
        guard significand < 1 << 53 else { return nil }
      default: return nil
      }
    }
    guard scale <= 22, significand != 0 || !isNegative else { return nil }
    if isNegative { significand.negate() }
  }

  /// The nearest double: a quotient of two exact doubles is rounded once (Clinger, "How to read floating point numbers
  /// accurately", PLDI 1990).
  var value: Double { Double(significand) / Self.powersOfTen[scale] }
}

/// Checks arrays of JSON numbers, nested or not, in blocks of 64 characters: each rule of the syntax is a few operations
/// on masks with one bit a character. Bits that a rule moves over the end of a block are carried into the next.
///
/// The scan begins behind the first opening bracket.
struct NumberArrayScan {
  private(set) var isValid = true
  private var depth = 1
  private let maximumDepth: Int
  private var digit = Carry(), dot = Carry(), minus = Carry(), leadingZero = Carry(), fraction = Carry()
  private var comma = Carry(), opener = Carry(bit: 1), commaSpaces = Carry(), openerSpaces = Carry()

  /// Deeper arrays may be taken for invalid.
  init(maximumDepth: Int) { self.maximumDepth = maximumDepth }

  /// The number of characters up to the bracket that closes the array, if it is in this block and all is well so far.
  /// Clears `isValid` at anything but numbers, commas, brackets and white space, in their right order.
  mutating func end(in block: machine_number_characters) -> Int? {
    let end = closingBracket(block)
    let errors = errors(block)
    isValid = errors & (end.map { (2 << UInt64($0)) &- 1 } ?? .max) == 0 && depth + 64 < maximumDepth
    return isValid ? end.map { $0 + 1 } : nil
  }

  /// The place of the bracket that closes the outermost array.
  private mutating func closingBracket(_ block: machine_number_characters) -> Int? {
    var closes = block.closes
    if depth > closes.nonzeroBitCount {
      depth += block.opens.nonzeroBitCount - closes.nonzeroBitCount
      return nil
    }
    var closed = 0
    while closes != 0 {
      let place = closes.trailingZeroBitCount
      closed += 1
      let opened = (block.opens & ((1 << UInt64(place)) &- 1)).nonzeroBitCount
      if depth + opened == closed { return place }
      closes &= closes &- 1
    }
    depth += block.opens.nonzeroBitCount - closed
    return nil
  }

  /// The characters that may not stand where they stand.
  private mutating func errors(_ block: machine_number_characters) -> UInt64 {
    let (digits, spaces) = (block.digits, block.spaces)
    let (afterDigit, afterDot, afterMinus) = (digit.next(digits), dot.next(block.dots), minus.next(block.minuses))
    // "1.5": a point stands between digits, and the digits behind it end without another one.
    var errors = block.others | block.dots & ~afterDigit | (afterDot | afterMinus) & ~digits
    errors |= block.dots & fraction.behind(runsOf: digits, from: afterDot & digits)
    // "01"
    let firstDigits = digits & ~afterDigit & ~afterDot
    errors |= leadingZero.next(firstDigits & block.zeros) & digits
    // A value follows a comma or an opening bracket, and nothing else does but the bracket of an empty array.
    let values = block.minuses | firstDigits & ~afterMinus | block.opens
    let behindComma = commaSpaces.behind(runsOf: spaces, from: comma.next(block.commas))
    let behindOpener = openerSpaces.behind(runsOf: spaces, from: opener.next(block.opens))
    errors |= values & ~(behindComma | behindOpener)
    errors |= block.commas & (behindComma | behindOpener) | block.closes & behindComma
    return errors
  }

  /// What one rule takes over from a block to the next.
  private struct Carry {
    var bit: UInt64 = 0

    /// The characters that follow those of the mask.
    mutating func next(_ mask: UInt64) -> UInt64 {
      defer { bit = mask >> 63 }
      return mask << 1 | bit
    }

    /// The characters that end the runs which begin at `starts`: adding a bit at the start of a run of ones carries it
    /// to the end. A start that is in no run stays.
    mutating func behind(runsOf mask: UInt64, from starts: UInt64) -> UInt64 {
      let (sum, first) = mask.addingReportingOverflow(starts)
      let (ends, second) = sum.addingReportingOverflow(bit)
      bit = first || second ? 1 : 0
      return ends & ~mask
    }
  }
}
