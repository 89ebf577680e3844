import Machine

/// Looks for a sound batch in bytes that do not begin with one: if there is one, what precedes it was damaged, not
/// torn by the end of a write.
enum BatchSearch {
    private static let windowBytes = 1 << 20

    /// The position of the first batch after `start` that verifies and holds offsets from `minimumOffset` on.
    static func firstBatch(
        in file: any File, after start: Int64, end: Int64, minimumOffset: Int64
    ) throws(MachineError) -> Int64? {
        let window = UnsafeMutableRawBufferPointer.allocate(byteCount: windowBytes, alignment: 8)
        defer { window.deallocate() }
        var place = start + 1
        while place + Int64(BatchFacts.headerBytes) <= end {
            let wanted = UnsafeMutableRawBufferPointer(rebasing: window[..<Int(min(Int64(windowBytes), end - place))])
            let count = try file.read(into: wanted, at: place)
            guard count >= BatchFacts.headerBytes else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(window)[..<count])
            for candidate in candidates(in: bytes, minimumOffset) where place + Int64(candidate) < end {
                var scanner = BatchScanner(file, from: place + Int64(candidate), to: end, chunkBytes: 64 << 10)
                if case .batch = try scanner.nextVerified() { return place + Int64(candidate) }
            }
            place += Int64(count - BatchFacts.headerBytes + 1)
        }
        return nil
    }

    /// Positions at which the bytes look like a batch header.
    private static func candidates(in bytes: UnsafeRawBufferPointer, _ minimumOffset: Int64) -> [Int] {
        var result: [Int] = []
        var fault = ""
        for place in 0...(bytes.count - BatchFacts.headerBytes) where bytes[place + 16] == 2 && bytes[place + 21] == 0 {
            let header = UnsafeRawBufferPointer(rebasing: bytes[place..<place + BatchFacts.headerBytes])
            if let facts = BatchFacts(header: header, fault: &fault), facts.baseOffset >= minimumOffset {
                result.append(place)
            }
        }
        return result
    }
}
