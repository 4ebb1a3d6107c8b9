/// A matrix of results cut into blocks for the threads, in a way that depends on the sizes alone.
struct ProductBlocks {
  private let rows: (total: Int, block: Int)
  private let columns: (total: Int, block: Int)

  /// Large blocks serve the matrix product, eight of them keep the threads busy; neither side goes below 64.
  init(rows totalRows: Int, columns totalColumns: Int, rowLimit: Int = 512) {
    var (blockRows, blockColumns) = (max(1, min(totalRows, rowLimit)), max(1, totalColumns))
    func parts(_ total: Int, _ block: Int) -> Int { (total + block - 1) / block }
    while parts(totalRows, blockRows) * parts(totalColumns, blockColumns) < 8, max(blockRows, blockColumns) > 64 {
      if blockColumns >= blockRows {
        blockColumns = parts(blockColumns, 32) * 16
      } else {
        blockRows = parts(blockRows, 32) * 16
      }
    }
    rows = (totalRows, blockRows)
    columns = (totalColumns, blockColumns)
  }

  private var columnBlocks: Int { (columns.total + columns.block - 1) / columns.block }
  var count: Int { (rows.total + rows.block - 1) / rows.block * columnBlocks }

  subscript(index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let row = index / columnBlocks * rows.block
    let column = index % columnBlocks * columns.block
    return (row..<min(rows.total, row + rows.block), column..<min(columns.total, column + columns.block))
  }
}
