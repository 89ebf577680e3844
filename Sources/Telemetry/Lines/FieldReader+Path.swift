/// A step of a way into JSON.
public enum JSONStep: Sendable, Equatable {
    /// The member of that name, as it is meant: without escapes.
    case name([UInt8])
    /// The element of that index, from 0.
    case index(Int)
}

/// Single values of JSON, wherever they stand.
extension FieldReader {
    /// The text of the value at the end of a way: a string's meaning, a number, the JSON of an object or an array,
    /// nothing for null; nil if the way ends before. What does not matter on the way is not checked.
    public func find(at steps: [JSONStep], in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        do throws(FieldFailure) {
            guard var place = try start(line) else { return nil }
            for step in steps {
                let inner = UnsafeRawBufferPointer(rebasing: line[place.range])
                guard let next = try member(step, place.kind, inner) else { return nil }
                place = JSONScan.Value(
                    kind: next.kind,
                    range: place.range.lowerBound + next.range.lowerBound..<place.range.lowerBound
                        + next.range.upperBound,
                    end: 0)
            }
            switch place.kind {
            case .null: return UnsafeRawBufferPointer(rebasing: line[place.range.lowerBound..<place.range.lowerBound])
            case .object: return UnsafeRawBufferPointer(rebasing: line[place.range])
            case .array:
                return text(of: JSONScan.Value(kind: .string(isEscaped: true), range: place.range, end: 0), in: line)
            case .string, .number, .boolean: return text(of: place, in: line)
            }
        } catch {
            return nil
        }
    }

    private func start(_ line: UnsafeRawBufferPointer) throws(FieldFailure) -> JSONScan.Value? {
        guard let start = JSONScan.skipSpace(line, 0) else { return nil }
        return try JSONScan.value(line, start)
    }

    private func member(
        _ step: JSONStep, _ kind: JSONScan.Kind, _ bytes: UnsafeRawBufferPointer
    ) throws(FieldFailure) -> JSONScan.Value? {
        switch (step, kind) {
        case (.name(let name), .object):
            var cursor = try ObjectCursor(bytes)
            while let member = try cursor.next() {
                if reads(member, name, bytes) { return member.value }
            }
            return nil
        case (.index(let index), .array): return try element(index, bytes)
        default: return nil
        }
    }

    private func reads(_ member: ObjectCursor.Member, _ name: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[member.key])
        guard member.keyIsEscaped else { return raw.elementsEqual(name) }
        key.truncate(to: 0)
        return JSONEscapes.unescape(raw, into: &key) && key.bytes.elementsEqual(name)
    }

    private func element(_ index: Int, _ bytes: UnsafeRawBufferPointer) throws(FieldFailure) -> JSONScan.Value? {
        var position = 1
        var count = 0
        while let start = JSONScan.skipSpace(bytes, position), bytes[start] != UInt8(ascii: "]") {
            let value = try JSONScan.value(bytes, start)
            if count == index { return value }
            count += 1
            guard let comma = JSONScan.skipSpace(bytes, value.end), bytes[comma] == UInt8(ascii: ",") else {
                return nil
            }
            position = comma + 1
        }
        return nil
    }
}

/// Objects of texts.
extension FieldReader {
    /// Gives the members of an object that are strings, with their names as they are meant.
    ///
    /// - Returns: the fault at which reading ended.
    public func visitStrings(
        _ line: UnsafeRawBufferPointer,
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void
    ) -> FieldFailure? {
        do throws(FieldFailure) {
            var cursor = try ObjectCursor(line)
            while let member = try cursor.next() {
                guard case .string = member.value.kind else { continue }
                let raw = UnsafeRawBufferPointer(rebasing: line[member.key])
                name.truncate(to: 0)
                if member.keyIsEscaped {
                    guard JSONEscapes.unescape(raw, into: &name) else { throw .malformedEscape }
                } else {
                    name.append(raw)
                }
                body(name.bytes, text(of: member.value, in: line))
            }
            return nil
        } catch {
            return error
        }
    }
}
