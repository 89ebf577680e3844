/// The name that somebody may have meant.
enum NearestName {
    /// The one of `names` that the fewest edits make of `text` (Levenshtein, with neighbours swapped counting once);
    /// nil if that takes more than a third of its letters, or none is near.
    static func of(_ text: String, among names: [String]) -> String? {
        // Longer than any name: not worth measuring, and a bound on the work.
        guard text.utf8.count <= 128 else { return nil }
        let wanted = Array(text.lowercased().replacing("_", with: "-").utf8)
        let ranked = names.map { (distance: distance(wanted, Array($0.lowercased().utf8)), name: $0) }
        guard let best = ranked.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }) else { return nil }
        return best.distance <= max(1, best.name.utf8.count / 3) ? best.name : nil
    }

    /// How many letters have to be added, removed, replaced or swapped with their neighbour.
    static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var (before, previous) = ([Int](), Array(0...other.count))
        for (row, letter) in one.enumerated() {
            var current = [row + 1]
            for (column, candidate) in other.enumerated() {
                var cost = min(previous[column + 1], current[column]) + 1
                cost = min(cost, previous[column] + (letter == candidate ? 0 : 1))
                if row > 0, column > 0, letter == other[column - 1], one[row - 1] == candidate {
                    cost = min(cost, before[column - 1] + 1)
                }
                current.append(cost)
            }
            (before, previous) = (previous, current)
        }
        return previous[other.count]
    }
}
