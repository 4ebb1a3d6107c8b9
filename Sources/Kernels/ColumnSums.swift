/// The gradient of a bias: the sum of each column of `dy`, `[rows, columns]`, in double precision.
public enum ColumnSums {
  public static func add(_ dy: Floats, rows: Int, columns: Int, addingTo sums: Floats, _ workers: Workers) {
    let chunk = max(16, (1 << 15) / columns)
    let chunks = (rows + chunk - 1) / chunk
    let partial = workers.shared.doubles(chunks * columns)
    workers.run(jobs: chunks) { job, _ in
      let target = partial + job * columns
      target.update(repeating: 0, count: columns)
      for row in job * chunk..<min(rows, (job + 1) * chunk) {
        let source = dy + row * columns
        for c in 0..<columns { target[c] += Double(source[c]) }
      }
    }
    for c in 0..<columns {
      var sum = 0.0
      for job in 0..<chunks { sum += partial[job * columns + c] }
      sums[c] += Float(sum)
    }
  }
}
