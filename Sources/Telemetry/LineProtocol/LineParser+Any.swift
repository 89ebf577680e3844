extension LineParser {
    /// Reads the line that begins at `start` by InfluxDB's grammar.
    ///
    /// - Returns: nil if there is nothing in it.
    mutating func readAnyLine(from start: Int) -> Step? {
        var end = LineGrammar.endOfLine(bytes, from: start)
        nextLine = Swift.min(end + 1, bytes.count)
        marks.seek(nextLine)
        // The newline of an unbalanced quote, and of a backslash in front of it.
        if end > start, bytes[end - 1] == LineGrammar.newline { end -= 1 }
        if end > start, bytes[end - 1] == LineGrammar.carriageReturn { end -= 1 }
        let first = LineGrammar.skipBlanks(bytes, from: start, to: end)
        line = first..<end
        guard first < end, bytes[first] != UInt8(ascii: "#") else { return nil }
        key = first..<first
        time = nil
        fieldCount = 0
        do throws(LineFailure) {
            try readPoint(bytes[slice: line], at: first)
            return .point
        } catch {
            return .refused(error)
        }
    }

    private mutating func readPoint(_ line: UnsafeRawBufferPointer, at start: Int) throws(LineFailure) {
        let keyEnd = try LineGrammar.scanKey(line, &tagKeys)
        key = start..<start + keyEnd
        guard keyEnd <= LineFailure.maximumKeyBytes else { throw .keyTooLong(keyEnd) }
        let fieldsStart = LineGrammar.skipBlanks(line, from: keyEnd, to: line.count)
        let fieldsEnd = try LineGrammar.fieldsEnd(line, from: fieldsStart)
        guard fieldsEnd > fieldsStart else { throw .missingFields }
        let tooLong = try readFields(line, fieldsStart..<fieldsEnd, at: start)
        try readTime(line, from: fieldsEnd)
        // What follows InfluxDB checks when it has read the whole line.
        let hasTimeTag = tagKeys.contains { $0.count == 4 && Self.isTime(line, at: $0.lowerBound) }
        if hasTimeTag { throw .timeTag }
        if fieldCount == 0 { throw .timeField }
        if let tooLong { throw tooLong }
    }

    private mutating func readFields(
        _ line: UnsafeRawBufferPointer, _ range: Range<Int>, at start: Int
    ) throws(LineFailure) -> LineFailure? {
        let fields = line[slice: 0..<range.upperBound]
        var (position, tooLong) = (range.lowerBound, LineFailure?.none)
        while position < fields.count {
            let keyEnd = LineGrammar.find(LineGrammar.equals, fields, from: position)
            let size = key.count + (keyEnd - position) + 4
            guard size <= LineFailure.maximumKeyBytes else { throw .keyTooLong(size) }
            let valueStart = Swift.min(keyEnd + 1, fields.count)
            let valueEnd = LineGrammar.fieldValueEnd(fields, from: valueStart)
            let name = position..<keyEnd
            if !(name.count == 4 && Self.isTime(line, at: position)) {
                addField(fields, name, valueStart..<valueEnd, at: start)
                if fields[valueStart] == LineGrammar.quote, valueEnd - valueStart - 2 > LineFailure.maximumStringBytes {
                    tooLong = tooLong ?? .fieldTooLong(key: name, byteCount: valueEnd - valueStart - 2)
                }
            }
            position = valueEnd + 1
        }
        return tooLong
    }

    /// Adds a field that the grammar has accepted.
    private mutating func addField(
        _ line: UnsafeRawBufferPointer, _ name: Range<Int>, _ value: Range<Int>, at start: Int
    ) {
        let text = line[slice: value]
        var (type, bits, escapes) = (FieldType.boolean, UInt64(0), LineField.Escapes())
        if line[slice: name].contains(LineGrammar.backslash) { escapes.insert(.key) }
        switch text.first {
        case LineGrammar.quote?:
            let inner = value.lowerBound + 1..<Swift.max(value.lowerBound + 1, value.upperBound - 1)
            type = .string
            bits = LineField.bits(ofString: inner.lowerBound + start..<inner.upperBound + start)
            if line[slice: inner].contains(LineGrammar.backslash) { escapes.insert(.string) }
        case (UInt8(ascii: "0")...UInt8(ascii: "9"))?, UInt8(ascii: ".")?, UInt8(ascii: "-")?:
            let digits = text[slice: 0..<text.count - 1]
            switch text.last {
            case UInt8(ascii: "i"): (type, bits) = (.integer, UInt64(bitPattern: LineNumber.signed(digits) ?? 0))
            case UInt8(ascii: "u"): (type, bits) = (.unsigned, LineNumber.unsigned(digits) ?? 0)
            default: (type, bits) = (.float, (LineNumber.float(text) ?? 0).bitPattern)
            }
        default: bits = LineNumber.boolean(text) == true ? 1 : 0
        }
        add(
            LineField(
                key: name.lowerBound + start..<name.upperBound + start, type: type, escapes: escapes, bits: bits))
    }

    private mutating func readTime(_ line: UnsafeRawBufferPointer, from fieldsEnd: Int) throws(LineFailure) {
        let timeStart = LineGrammar.skipBlanks(line, from: fieldsEnd, to: line.count)
        let timeEnd = try LineGrammar.timeEnd(line, from: timeStart)
        guard timeEnd > timeStart else { return }
        guard let count = LineNumber.signed(line[slice: timeStart..<timeEnd]) else {
            throw .timestampUnreadable(timeStart..<timeEnd)
        }
        guard let time = precision.time(count) else { throw .timeOutsideRange }
        self.time = time
        guard line[timeEnd...].allSatisfy({ $0 == LineGrammar.space }) else { throw .invalidPoint }
    }

    /// Whether the four bytes at `position` are `time`.
    @inline(__always)
    static func isTime(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Bool {
        bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self) == 0x656D_6974
    }
}
