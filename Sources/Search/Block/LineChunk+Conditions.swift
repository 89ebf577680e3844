import Bytes
import Columns
import Patterns
import Telemetry

extension LineBlock {
    /// Whether a chunk can have a line that satisfies a condition, as filter and index tell; its lines are not touched.
    public func mayHold(_ condition: LineCondition, chunk: Int) throws(SearchError) -> Bool {
        let entry = chunks[chunk]
        switch condition {
        case .all, .not: return true
        case .field(_, .equals(let value)):
            // Without a backslash in it, a line has a field's text as it is, and nothing but punctuation around it.
            return entry.hasBackslash
                || value.contains { $0 >= 0x80 } || value.contains(0x20)
                ? true : try mayHold(value, isWhole: true, entry)
        case .field, .malformed: return true
        case .contains(let text), .containsIgnoringCase(let text): return try mayHold(text, isWhole: false, entry)
        case .matches(_, let needs):
            if needs.isEmpty { return true }
            for text in needs where try mayHold(text, isWhole: false, entry) { return true }
            return false
        case .level(let levels): return levels.contains { entry.levels >> $0.rawValue & 1 != 0 }
        case .and(let conditions):
            for part in conditions where try !mayHold(part, chunk: chunk) { return false }
            return true
        case .or(let conditions):
            for part in conditions where try mayHold(part, chunk: chunk) { return true }
            return false
        }
    }

    /// - Parameter isWhole: nothing that belongs to a token stands around the text.
    private func mayHold(_ text: [UInt8], isWhole: Bool, _ entry: LineChunkEntry) throws(SearchError) -> Bool {
        let wanted = WantedTokens(text, isWhole: isWhole, entry)
        if wanted.isImpossible { return false }
        if wanted.hashes.isEmpty { return true }
        let filter = try filterBytes(entry)
        return wanted.hashes.allSatisfy { TokenFilter.mayHold($0, filter) }
    }
}

/// The tokens that a line has to have if it holds a text.
private struct WantedTokens {
    private(set) var hashes: [UInt64] = []
    /// A part of the text is longer than every token of the chunk.
    private(set) var isImpossible = false

    init(_ text: [UInt8], isWhole: Bool, _ entry: LineChunkEntry) {
        var start = 0
        text.withUnsafeBytes { bytes in
            while start < bytes.count {
                guard Token.classes[Int(bytes[start])] != 0 else {
                    start += 1
                    continue
                }
                var (end, kinds): (Int, UInt8) = (start, 0)
                while end < bytes.count, Token.classes[Int(bytes[end])] != 0 {
                    kinds |= Token.classes[Int(bytes[end])]
                    end += 1
                }
                let isBounded = isWhole || (start > 0 && end < bytes.count)
                add(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), hasDigit: kinds & 2 != 0, isBounded, entry)
                start = end
            }
        }
    }

    private mutating func add(
        _ token: UnsafeRawBufferPointer, hasDigit: Bool, _ isBounded: Bool, _ entry: LineChunkEntry
    ) {
        guard token.count >= Token.minimumBytes, let base = token.baseAddress else { return }
        let longest = hasDigit ? entry.longestNumber : max(entry.longestNumber, entry.longestWord)
        if token.count > longest {
            isImpossible = true
        } else if isBounded || token.count == longest {
            // A part that is as long as the longest token is one as a whole.
            hashes.append(Token.hash(base, count: token.count))
        }
    }
}

extension LineChunk {
    /// The rows that satisfy a condition.
    public func rows(where condition: LineCondition) throws(SearchError) -> RowSelection {
        switch condition {
        case .all: return .all
        case .contains(let text): return try select(text, ignoresCase: false)
        case .containsIgnoringCase(let text): return try select(text, ignoresCase: true)
        case .matches(let pattern, let needs): return try rows(matching: pattern, needs)
        case .level(let levels): return try rows(ofLevels: levels)
        case .field(let reference, let test): return try rows(of: reference, test)
        case .malformed(let format): return try rows(malformed: format)
        case .not(let part): return try rows(where: part).inverted
        case .and(let parts):
            var result: RowSelection = .all
            for part in parts where result != .none { result = result.intersection(try rows(where: part)) }
            return result
        case .or(let parts):
            var result: RowSelection = .none
            for part in parts where result != .all { result = result.union(try rows(where: part)) }
            return result
        }
    }

    private func select(_ text: [UInt8], ignoresCase: Bool) throws(SearchError) -> RowSelection {
        try column { column throws(BytesError) in
            try text.withUnsafeBufferPointer { text throws(BytesError) in
                try column.select(
                    0, TextTest(place: .contained, text: UnsafeRawBufferPointer(text), ignoresCase: ignoresCase))
            }
        }
    }

    private func rows(ofLevels levels: Set<LineLevel>) throws(SearchError) -> RowSelection {
        let wanted = levels.reduce(0 as UInt8) { $0 | 1 << $1.rawValue }
        if wanted & entry.levels == 0 { return .none }
        if entry.levels & ~wanted == 0 { return .all }
        var rows = RowBitmap(count: entry.lines)
        for (row, level) in try self.levels().enumerated() where wanted >> level.rawValue & 1 != 0 { rows.insert(row) }
        return RowSelection(rows)
    }

    private func rows(matching pattern: Pattern, _ needs: [[UInt8]]) throws(SearchError) -> RowSelection {
        var candidates: RowSelection = needs.isEmpty ? .all : .none
        for text in needs where candidates != .all {
            candidates = candidates.union(try select(text, ignoresCase: false))
        }
        if candidates == .none { return .none }
        let lines = try lines(candidates)
        var rows = RowBitmap(count: entry.lines)
        for (index, row) in candidates.rows(of: entry.lines).enumerated()
        where lines.withString(index, { pattern.matches($0) }) {
            rows.insert(Int(row))
        }
        if pattern.gaveUp { throw SearchError(.limitReached, pattern.exhaustion.message, cause: pattern.exhaustion) }
        return RowSelection(rows)
    }
}
