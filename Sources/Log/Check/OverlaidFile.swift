import Machine

/// A segment as it will be once the sync journal is redone. For reading only.
final class OverlaidFile: File {
    private let file: any File
    private let journal: JournalContent
    private let extents: [JournalContent.Extent]
    private let sizeBytes: Int64

    init(_ file: any File, sizeBytes: Int64, _ journal: JournalContent, _ extents: [JournalContent.Extent]) {
        self.file = file
        self.journal = journal
        self.extents = extents
        self.sizeBytes = max(sizeBytes, extents.map(\.end).max() ?? 0)
    }

    var path: String { file.path }
    var descriptor: Int32? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(MachineError) -> Int {
        let count = Int(max(0, min(Int64(buffer.count), sizeBytes - position)))
        let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        let found = try file.read(into: wanted, at: position)
        UnsafeMutableRawBufferPointer(rebasing: wanted[found...]).initializeMemory(as: UInt8.self, repeating: 0)
        let range = position..<position + Int64(count)
        for extent in extents where extent.position < range.upperBound && extent.end > range.lowerBound {
            let part = (extent.position..<extent.end).clamped(to: range)
            journal.withBytes(of: extent) { bytes in
                let start = Int(part.lowerBound - extent.position)
                let source = UnsafeRawBufferPointer(rebasing: bytes[start..<start + part.count])
                let place = Int(part.lowerBound - position)
                UnsafeMutableRawBufferPointer(rebasing: wanted[place..<place + part.count]).copyMemory(from: source)
            }
        }
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(MachineError) { throw refusal("write") }
    func synchronize() throws(MachineError) { throw refusal("synchronize") }
    func preallocate(to size: Int64) {}
    func truncate(to size: Int64) throws(MachineError) { throw refusal("truncate") }
    func size() throws(MachineError) -> Int64 { sizeBytes }
    func map(_ count: Int) throws(MachineError) -> any MemoryMap { throw refusal("map") }
    func readAhead(_ range: Range<Int64>) {}
    func close() { file.close() }

    private func refusal(_ operation: String) -> MachineError {
        MachineError(code: .denied, operation: operation, path: path)
    }
}
