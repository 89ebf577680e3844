package import Bytes

extension IntegerCodec {
    package static func encode(_ values: [Int64], into writer: inout ByteWriter) {
        values.withUnsafeBufferPointer { encode($0, into: &writer) }
    }

    /// Appends integers in the cheapest form, found by a pass that measures each form without writing it.
    package static func encode(_ values: UnsafeBufferPointer<Int64>, into writer: inout ByteWriter) {
        guard let first = values.first else { return }
        let divisor = commonDivisor(values)
        guard divisor > 1 else { return encodeUndivided(values, tag: 0, into: &writer) }
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: values.count) { scratch in
            for index in values.indices { scratch[index] = (values[index] &- first) / divisor }
            let start = writer.count
            encodeUndivided(UnsafeBufferPointer(scratch), tag: divided, first: first, divisor: divisor, into: &writer)
            let size = writer.count - start
            // Few integers may be cheaper as they are.
            if size <= 40 {
                encodeUndivided(values, tag: 0, into: &writer)
                let other = writer.count - start - size
                writer.withUnsafeMutableBytes { bytes in
                    guard other < size, let base = bytes.baseAddress else { return }
                    base.advanced(by: start).copyMemory(from: base + start + size, byteCount: other)
                }
                writer.truncate(to: start + min(size, other))
            }
        }
    }

    /// The largest integer that divides every distance from the first value; 1 if differences overflow, or are all 0.
    private static func commonDivisor(_ values: UnsafeBufferPointer<Int64>) -> Int64 {
        var divisor: UInt64 = 0
        for index in values.indices.dropFirst() {
            let (distance, overflow) = values[index].subtractingReportingOverflow(values[0])
            if overflow { return 1 }
            let magnitude = distance.magnitude
            if magnitude == 0 || magnitude == divisor { continue }
            if divisor != 0, magnitude % divisor == 0 { continue }
            var (a, b) = (magnitude, divisor)
            while b != 0 { (a, b) = (b, a % b) }
            divisor = a
            if divisor == 1 { return 1 }
        }
        return divisor > 1 && divisor <= UInt64(Int64.max) ? Int64(divisor) : 1
    }

    private static func encodeUndivided(
        _ values: UnsafeBufferPointer<Int64>, tag: UInt8, first: Int64 = 0, divisor: Int64 = 1,
        into writer: inout ByteWriter
    ) {
        let shape = Shape(values)
        let (form, plan) = shape.best(values)
        writer.write(form.rawValue | tag)
        if tag & divided != 0 {
            writer.writeVarlong(first)
            writer.writeVarlong(divisor)
        }
        switch form {
        case .constant: writer.writeVarlong(values[0])
        case .runs: encodeRuns(values, count: shape.runs, into: &writer)
        default: encodePacked(values, form, shape, plan, into: &writer)
        }
    }

    private static func encodePacked(
        _ values: UnsafeBufferPointer<Int64>, _ form: Form, _ shape: Shape, _ plan: PatchedPacking.Plan,
        into writer: inout ByteWriter
    ) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: values.count) { target in
            switch form {
            case .delta:
                writer.writeVarlong(values[0])
                target[0] = 0
                for index in 1..<values.count { target[index] = zigzag(values[index] &- values[index &- 1]) }
            case .deltaFrame:
                writer.writeVarlong(values[0])
                writer.writeVarlong(shape.minimumDelta)
                target[0] = 0
                for index in 1..<values.count {
                    target[index] = UInt64(bitPattern: values[index] &- values[index &- 1] &- shape.minimumDelta)
                }
            case .deltaDelta:
                var difference = values[1] &- values[0]
                writer.writeVarlong(values[0])
                writer.writeVarlong(difference)
                target[0] = 0
                for index in 1..<values.count {
                    let next = values[index] &- values[index &- 1]
                    target[index] = zigzag(next &- difference)
                    difference = next
                }
            case .frame, .constant, .runs:
                writer.writeVarlong(shape.minimum)
                for index in values.indices { target[index] = UInt64(bitPattern: values[index] &- shape.minimum) }
            }
            PatchedPacking.encode(UnsafeBufferPointer(target), plan, into: &writer)
        }
    }

    private static func encodeRuns(_ values: UnsafeBufferPointer<Int64>, count: Int, into writer: inout ByteWriter) {
        var (distinct, lengths): ([Int64], [Int64]) = ([values[0]], [])
        var start = 0
        for index in values.indices where values[index] != values[start] {
            distinct.append(values[index])
            lengths.append(Int64(index - start))
            start = index
        }
        lengths.append(Int64(values.count - start))
        writer.writeUnsignedVarint(UInt32(count))
        for list in [distinct, lengths] {
            list.withUnsafeBufferPointer { list in
                let shape = Shape(list)
                encodePacked(list, .frame, shape, shape.frame(list), into: &writer)
            }
        }
    }
}

/// What a pass over integers finds: enough to know what each form costs.
struct Shape {
    private(set) var minimum = Int64.max
    private(set) var maximum = Int64.min
    private(set) var minimumDelta = Int64.max
    private(set) var runs = 1
    private var deltas = PatchedPacking.Histogram(repeating: 0)
    private var changes = PatchedPacking.Histogram(repeating: 0)

    init(_ values: UnsafeBufferPointer<Int64>) {
        var (previous, difference) = (values[0], values.count > 1 ? values[1] &- values[0] : 0)
        (minimum, maximum) = (previous, previous)
        deltas[0] = 1
        changes[0] = 1
        for index in 1..<max(1, values.count) {
            let value = values[index]
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            let delta = value &- previous
            minimumDelta = min(minimumDelta, delta)
            if delta != 0 { runs &+= 1 }
            deltas[BitPacking.width(IntegerCodec.zigzag(delta))] &+= 1
            changes[BitPacking.width(IntegerCodec.zigzag(delta &- difference))] &+= 1
            (previous, difference) = (value, delta)
        }
    }

    /// The cheapest form.
    func best(_ values: UnsafeBufferPointer<Int64>) -> (IntegerCodec.Form, PatchedPacking.Plan) {
        let count = values.count
        let frame = frame(values)
        guard minimum != maximum else { return (.constant, frame) }
        var best = (IntegerCodec.Form.frame, frame, size: frame.size + 5)
        func consider(_ form: IntegerCodec.Form, _ plan: PatchedPacking.Plan, extra: Int) {
            if plan.size + extra < best.size { best = (form, plan, plan.size + extra) }
        }
        consider(.delta, PatchedPacking.plan(deltas, count: count), extra: 5)
        if count > 2 {
            consider(.deltaDelta, PatchedPacking.plan(changes, count: count), extra: 8)
            consider(.deltaFrame, deltaFrame(values), extra: 8)
        }
        if runs <= count / 2 {
            let bits = BitPacking.width(UInt64(bitPattern: maximum &- minimum)) + BitPacking.width(UInt64(count))
            let size = 12 + runs * bits / 8
            if size < best.size { best = (.runs, frame, size) }
        }
        return (best.0, best.1)
    }

    func frame(_ values: UnsafeBufferPointer<Int64>) -> PatchedPacking.Plan {
        var histogram = PatchedPacking.Histogram(repeating: 0)
        for value in values { histogram[BitPacking.width(UInt64(bitPattern: value &- minimum))] &+= 1 }
        return PatchedPacking.plan(histogram, count: values.count)
    }

    private func deltaFrame(_ values: UnsafeBufferPointer<Int64>) -> PatchedPacking.Plan {
        var histogram = PatchedPacking.Histogram(repeating: 0)
        histogram[0] = 1
        for index in 1..<values.count {
            let distance = values[index] &- values[index &- 1] &- minimumDelta
            histogram[BitPacking.width(UInt64(bitPattern: distance))] &+= 1
        }
        return PatchedPacking.plan(histogram, count: values.count)
    }
}
