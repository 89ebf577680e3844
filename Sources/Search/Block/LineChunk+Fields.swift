import Bytes
import Columns
import Patterns
import Telemetry

extension LineChunk {
    /// Where a field's texts are, for the rows of one skeleton.
    private enum FieldSource {
        case absent
        /// The column of a slot. Texts that are no value of the field are left out.
        case column(Int)
        /// The lines have to be read.
        case lines
    }

    /// A field of some rows, ascending.
    public func field(_ reference: FieldReference, _ rows: RowSelection) throws(SearchError) -> TextColumn {
        let wanted = wanted(rows)
        let count = wanted?.count ?? entry.lines
        var result = TextColumn(
            codes: [UInt32](repeating: TextColumn.missing, count: count), dictionary: ByteStrings())
        try column { column throws(BytesError) in
            guard column.nodes[0].kind == .skeletons else {
                return try readField(reference, column, wanted, into: &result)
            }
            let places = try column.places(0)
            for (code, rows) in places.enumerated() {
                let own = Self.common(rows, wanted)
                guard !own.targets.isEmpty else { continue }
                switch source(of: reference, code, column) {
                case .absent: break
                case .column(let child):
                    let part = try column.textColumn(child, rows: own.rows)
                    append(part, reference, own.targets, to: &result)
                case .lines: try readField(reference, column, own.targets, wanted, into: &result)
                }
            }
        }
        return result
    }

    /// Which of a skeleton's rows are wanted (nil: all), and where they stand among what is wanted.
    private static func common(_ rows: [UInt32], _ wanted: [UInt32]?) -> (rows: [UInt32]?, targets: [UInt32]) {
        guard let wanted else { return (nil, rows) }
        var (own, targets, place): ([UInt32], [UInt32], Int) = ([], [], 0)
        for (index, row) in rows.enumerated() {
            while place < wanted.count, wanted[place] < row { place += 1 }
            guard place < wanted.count else { break }
            if wanted[place] == row {
                own.append(UInt32(index))
                targets.append(UInt32(place))
            }
        }
        return (own, targets)
    }

    private func append(
        _ part: TextColumn, _ reference: FieldReference, _ targets: [UInt32], to result: inout TextColumn
    ) {
        let first = UInt32(result.dictionary.count)
        var isValue = [Bool](repeating: true, count: part.dictionary.count)
        for index in 0..<part.dictionary.count {
            part.dictionary.withString(index) { text in
                result.dictionary.append(text)
                isValue[index] = Self.isValue(text, reference.format)
            }
        }
        for (code, target) in zip(part.codes, targets) where isValue[Int(code)] {
            result.codes[Int(target)] = first + code
        }
    }

    /// Whether a slot's text is a value: of JSON neither `null` nor an array, of logfmt not empty.
    ///
    /// A string `null` or one that begins with a bracket is taken by `source` for what only the line can tell.
    private static func isValue(_ text: UnsafeRawBufferPointer, _ format: FieldFormat) -> Bool {
        switch format {
        case .json: text.first != UInt8(ascii: "[") && !text.elementsEqual("null".utf8)
        case .logfmt: !text.isEmpty
        }
    }

    /// Whether no line of a skeleton begins as a JSON object does: then none has a field, and all are malformed.
    private static func isForeign(_ skeleton: ColumnTree.Skeleton, _ column: ColumnTree) -> Bool {
        if let first = column.pieces[skeleton.firstPiece].bytes(of: column.head).first {
            return first != UInt8(ascii: "{") && first > 0x20
        }
        guard skeleton.slots > 0 else { return true }
        let child = column.children[skeleton.firstChild]
        let characters = column.characters(child)
        return column.nodes[child].shortest > 0
            && ![0x09, 0x0A, 0x0D, 0x20, UInt8(ascii: "{")].contains { characters.contains($0) }
    }

    private func source(of reference: FieldReference, _ code: Int, _ column: ColumnTree) -> FieldSource {
        let skeleton = column.skeletons[column.nodes[0].skeletons.lowerBound + code]
        if reference.format == .json, Self.isForeign(skeleton, column) { return .absent }
        let pieces = column.pieces[skeleton.firstPiece...skeleton.firstPiece + skeleton.slots].map {
            $0.bytes(of: column.head)
        }
        switch reader.layouts.layout(reference.format, pieces, reader.fields).place(of: Array(reference.name.utf8)) {
        case .absent: return .absent
        case .unknown: return .lines
        case .slot(let slot):
            let child = column.children[skeleton.firstChild + slot]
            let characters = column.characters(child)
            let isQuoted = pieces[slot].last == UInt8(ascii: "\"")
            // Escapes are undone, what is no UTF-8 is replaced, and an equals sign spoils a word of logfmt.
            guard !characters.contains(UInt8(ascii: "\\")), characters.isASCII,
                reference.format == .json || isQuoted || !characters.contains(UInt8(ascii: "=")),
                reference.format == .logfmt || !isQuoted || !characters.contains(UInt8(ascii: "[")),
                reference.format == .logfmt || !isQuoted || !characters.isSuperset(of: ByteSet("nul"))
                    || column.nodes[child].shortest > 4 || column.nodes[child].longest < 4
            else { return .lines }
            return .column(child)
        }
    }

    /// Reads the field from the lines of some of the wanted rows.
    private func readField(
        _ reference: FieldReference, _ column: ColumnTree, _ targets: [UInt32], _ wanted: [UInt32]?,
        into result: inout TextColumn
    ) throws(BytesError) {
        let rows = wanted.map { wanted in targets.map { wanted[Int($0)] } } ?? targets
        var part = TextColumn(codes: [], dictionary: ByteStrings())
        part.codes = [UInt32](repeating: TextColumn.missing, count: rows.count)
        try readField(reference, column, rows, into: &part)
        let first = UInt32(result.dictionary.count)
        for index in 0..<part.dictionary.count { part.dictionary.withString(index) { result.dictionary.append($0) } }
        for (code, target) in zip(part.codes, targets) where code != TextColumn.missing {
            result.codes[Int(target)] = first + code
        }
    }

    private func readField(
        _ reference: FieldReference, _ column: ColumnTree, _ rows: [UInt32]?, into result: inout TextColumn
    ) throws(BytesError) {
        let lines = try column.strings(rows: rows)
        let name = Array(reference.name.utf8)
        var last: [UInt8]?
        for index in 0..<lines.count {
            lines.withString(index) { line in
                var failure: FieldFailure?
                let value = name.withUnsafeBytes {
                    reader.fields.find($0, reference.format, line, failure: &failure)
                }
                guard let value else { return }
                if last == nil || !value.elementsEqual(last ?? []) {
                    last = [UInt8](value)
                    result.dictionary.append(value)
                }
                result.codes[index] = UInt32(result.dictionary.count - 1)
            }
        }
    }

    /// The rows whose field satisfies a test.
    func rows(of reference: FieldReference, _ test: FieldTest) throws(SearchError) -> RowSelection {
        let rows = try column { column throws(BytesError) in
            guard column.nodes[0].kind == .skeletons else { return try readRows(reference, test, column, nil) }
            let places = try column.places(0)
            var found: [RowSelection] = []
            for (code, rows) in places.enumerated() {
                switch source(of: reference, code, column) {
                case .absent: found.append(.none)
                case .column(let child):
                    found.append(try column.select(child, test, isValue: { Self.isValue($0, reference.format) }))
                case .lines: found.append(try readRows(reference, test, column, rows))
                }
            }
            return try column.combine(found, 0)
        }
        if case .matches(let pattern) = test, pattern.gaveUp {
            throw SearchError(.limitReached, pattern.exhaustion.message, cause: pattern.exhaustion)
        }
        return rows
    }

    private func readRows(
        _ reference: FieldReference, _ test: FieldTest, _ column: ColumnTree, _ rows: [UInt32]?
    ) throws(BytesError) -> RowSelection {
        let count = rows?.count ?? entry.lines
        var texts = TextColumn(
            codes: [UInt32](repeating: TextColumn.missing, count: count), dictionary: ByteStrings())
        try readField(reference, column, rows, into: &texts)
        let hits = (0..<texts.dictionary.count).map {
            texts.dictionary.withString($0) { LineEvaluator.satisfies($0, test) }
        }
        var result = RowBitmap(count: count)
        for (row, code) in texts.codes.enumerated() where code != TextColumn.missing && hits[Int(code)] {
            result.insert(row)
        }
        return RowSelection(result)
    }

    /// The rows at which reading the fields ends at a fault.
    func rows(malformed format: FieldFormat) throws(SearchError) -> RowSelection {
        // Pairs that are malformed are passed over.
        if format == .logfmt { return .none }
        return try column { column throws(BytesError) in
            guard column.nodes[0].kind == .skeletons else { return try malformedRows(format, column, nil) }
            let places = try column.places(0)
            var found: [RowSelection] = []
            for (code, rows) in places.enumerated() {
                let skeleton = column.skeletons[column.nodes[0].skeletons.lowerBound + code]
                if Self.isForeign(skeleton, column) {
                    found.append(.all)
                    continue
                }
                let pieces = column.pieces[skeleton.firstPiece...skeleton.firstPiece + skeleton.slots].map {
                    $0.bytes(of: column.head)
                }
                let layout = reader.layouts.layout(format, pieces, reader.fields)
                found.append(layout.isOpaque ? try malformedRows(format, column, rows) : .none)
            }
            return try column.combine(found, 0)
        }
    }

    private func malformedRows(
        _ format: FieldFormat, _ column: ColumnTree, _ rows: [UInt32]?
    ) throws(BytesError) -> RowSelection {
        let lines = try column.strings(rows: rows)
        var result = RowBitmap(count: lines.count)
        for index in 0..<lines.count {
            let failure = lines.withString(index) { reader.fields.visit(format, $0) { _, _ in true } }
            if failure != nil { result.insert(index) }
        }
        return RowSelection(result)
    }
}
