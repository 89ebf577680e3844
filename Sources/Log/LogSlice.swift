public import Machine

/// Whole batches of one segment, to be sent as they are. Holds the segment's file open, whatever retention does.
public struct LogSlice: Sendable {
    /// The file that holds the bytes; nil if and only if the slice is empty.
    public let file: (any File)?
    /// The bytes' positions in `file`.
    public let range: Range<Int64>
    /// The partition's high watermark when the slice was made: the first offset that may not be read yet.
    public let highWatermark: Int64
    /// The partition's first offset when the slice was made.
    public let logStartOffset: Int64
    /// The first offset that a reader of committed transactions may not read; the high watermark as long as
    /// transactions are not served.
    public var lastStableOffset: Int64 { highWatermark }
    /// The number of bytes.
    public var count: Int { Int(range.upperBound - range.lowerBound) }
    /// Whether there is nothing to read.
    public var isEmpty: Bool { range.isEmpty }

    init(file: (any File)?, range: Range<Int64>, highWatermark: Int64, logStartOffset: Int64) {
        self.file = file
        self.range = range
        self.highWatermark = highWatermark
        self.logStartOffset = logStartOffset
    }

    /// The slice without its first `count` bytes.
    public func dropFirst(_ count: Int) -> LogSlice {
        LogSlice(
            file: file, range: min(range.lowerBound + Int64(count), range.upperBound)..<range.upperBound,
            highWatermark: highWatermark, logStartOffset: logStartOffset)
    }

    /// Copies the bytes into `buffer`, which holds at least `count` bytes.
    ///
    /// - Returns: `count`.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        precondition(buffer.count >= count)
        guard let file, !isEmpty else { return 0 }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        do {
            guard try file.read(into: part, at: range.lowerBound) == count else {
                throw LogError(.damaged, "\(file.path) ends before position \(range.upperBound)")
            }
        } catch let error as MachineError {
            throw LogError(.storage, "cannot read \(file.path) at \(range.lowerBound)", cause: error)
        } catch let error as LogError {
            throw error
        } catch {
            throw LogError(.storage, "cannot read \(file.path)", cause: error)
        }
        return count
    }
}
