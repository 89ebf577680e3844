/// A table for people: columns aligned with spaces, headings in capitals, nothing drawn. Programs take `--json`.
struct Table {
    enum Alignment {
        case left
        case right
    }

    private let columns: [(heading: String, alignment: Alignment)]
    private var rows: [[String]] = []

    init(_ columns: [(heading: String, alignment: Alignment)]) { self.columns = columns }

    /// Adds a row with a cell per column.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a cell per column")
        rows.append(cells.map(Self.printable))
    }

    /// The lines, each with its line end.
    var text: String {
        let all = [columns.map { $0.heading.uppercased() }] + rows
        let widths = columns.indices.map { column in all.lazy.map { $0[column].count }.max() ?? 0 }
        return all.map { line($0, widths) + "\n" }.joined()
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            if index > 0 { line += "  " }
            let padding = String(repeating: " ", count: max(0, widths[index] - cell.count))
            line += columns[index].alignment == .right ? padding + cell : cell + padding
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// Names come from strangers: control characters must not reach the terminal.
    private static func printable(_ cell: String) -> String {
        guard cell.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) }) else {
            return cell
        }
        return String(
            String.UnicodeScalarView(
                cell.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0 }))
    }
}
