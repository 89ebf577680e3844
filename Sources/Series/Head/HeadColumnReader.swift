import Columns
import Telemetry

/// Gathers one field's values of rows of a head.
struct HeadColumnReader {
    private let type: FieldType?
    private let columns: [HeadColumn?]
    private let strings: StringTable?
    /// For strings: the batch's code by the table's number, .max for none.
    private var codes: [UInt32] = []

    init(_ view: HeadTable.View, field: Int?) {
        columns = view.groups.map { $0.column(field) }
        type = field.map { view.fields[$0].type }
        strings = field.flatMap { view.fields[$0].strings }
    }

    /// The values of points.
    ///
    /// - Parameters:
    ///   - rows: the points' rows, those of one point in the order in which they came.
    ///   - ends: where each point's rows end; nil if each point has one.
    mutating func column(_ rows: [UInt32], ends: [Int]?) -> FieldColumn {
        let count = ends?.count ?? rows.count
        var validity: [UInt64]?
        switch type {
        case nil:
            return FieldColumn(.absent)
        case .float:
            let values = gather(rows, ends, count, &validity) { Double(bitPattern: $0) }
            return FieldColumn(.float(values), validity: validity)
        case .integer:
            let values = gather(rows, ends, count, &validity) { Int64(bitPattern: $0) }
            return FieldColumn(.integer(values), validity: validity)
        case .unsigned:
            return FieldColumn(.unsigned(gather(rows, ends, count, &validity) { $0 }), validity: validity)
        case .boolean:
            return FieldColumn(.boolean(gather(rows, ends, count, &validity) { $0 != 0 }), validity: validity)
        case .string:
            let numbers = gather(rows, ends, count, &validity) { $0 }
            return FieldColumn(stringValues(numbers, validity), validity: validity)
        }
    }

    @inline(__always)
    private func gather<Value: BitwiseCopyable>(
        _ rows: [UInt32], _ ends: [Int]?, _ count: Int, _ validity: inout [UInt64]?, _ convert: (UInt64) -> Value
    ) -> [Value] {
        var missing: [Int] = []
        let values = [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
            columns.withUnsafeBufferPointer { columns in
                for point in 0..<count {
                    let bits: UInt64?
                    if let ends {
                        bits = Self.newest(rows[(point == 0 ? 0 : ends[point - 1])..<ends[point]], columns)
                    } else {
                        bits = Self.value(rows[point], columns)
                    }
                    if bits == nil { missing.append(point) }
                    buffer[point] = convert(bits ?? 0)
                }
            }
            initialized = count
        }
        if !missing.isEmpty {
            var words = [UInt64](repeating: .max, count: (count + 63) / 64)
            if count & 63 != 0 { words[words.count - 1] = (1 << UInt64(count & 63)) - 1 }
            for point in missing { words[point >> 6] &= ~(1 << UInt64(point & 63)) }
            validity = words
        }
        return values
    }

    @inline(__always)
    private static func value(_ row: UInt32, _ columns: UnsafeBufferPointer<HeadColumn?>) -> UInt64? {
        guard let column = columns[Int(row &>> 16)] else { return nil }
        let index = Int(row & 0xFFFF)
        return column.present[index] != 0 ? column.values[index] : nil
    }

    private static func newest(_ rows: ArraySlice<UInt32>, _ columns: UnsafeBufferPointer<HeadColumn?>) -> UInt64? {
        for row in rows.reversed() {
            if let bits = value(row, columns) { return bits }
        }
        return nil
    }

    private mutating func stringValues(_ numbers: [UInt64], _ validity: [UInt64]?) -> FieldColumn.Values {
        guard let strings else { return .absent }
        var dictionary = ByteStrings()
        var met: [Int] = []
        var result: [UInt32] = []
        result.reserveCapacity(numbers.count)
        for (point, bits) in numbers.enumerated() {
            if let validity, validity[point >> 6] >> UInt64(point & 63) & 1 == 0 {
                result.append(0)
                continue
            }
            let number = Int(bits)
            while codes.count <= number { codes.append(contentsOf: [UInt32](repeating: .max, count: number + 1)) }
            if codes[number] == .max {
                codes[number] = UInt32(dictionary.count)
                dictionary.append(strings.string(number))
                met.append(number)
            }
            result.append(codes[number])
        }
        for number in met { codes[number] = .max }
        // Points without a value have the code 0, which must be one.
        if dictionary.count == 0 { dictionary.append(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return .string(codes: result, dictionary: dictionary)
    }
}
