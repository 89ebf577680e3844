import NIOCore

/// Cuts the bytes of a connection into Kafka's frames: an int32 length and that many bytes.
///
/// A frame that arrives whole is a slice of what was read; only one that spans reads is copied, into a buffer that
/// is reserved at once in its full size.
struct FrameAccumulator {
    let maximumFrameBytes: Int
    private var rest: ByteBuffer?

    init(maximumFrameBytes: Int) { self.maximumFrameBytes = maximumFrameBytes }

    /// Takes in what was read and hands each whole frame, without its length, to `frame`.
    mutating func append(_ read: ByteBuffer, frame: (ByteBuffer) -> Void) throws(KafkaClientError) {
        var bytes: ByteBuffer
        if var started = rest.take() {
            started.writeImmutableBuffer(read)
            bytes = started
        } else {
            bytes = read
        }
        while let length = try nextLength(bytes) {
            guard bytes.readableBytes >= 4 + length else { break }
            bytes.moveReaderIndex(forwardBy: 4)
            guard let slice = bytes.readSlice(length: length) else { break }
            frame(slice)
        }
        if bytes.readableBytes > 0 { try keep(bytes) }
    }

    private func nextLength(_ bytes: ByteBuffer) throws(KafkaClientError) -> Int? {
        guard let length = bytes.getInteger(at: bytes.readerIndex, as: Int32.self) else { return nil }
        guard length >= 4, Int(length) <= maximumFrameBytes else {
            throw KafkaClientError(
                .malformed,
                "a frame of \(length) bytes (between 4 and \(maximumFrameBytes) expected): is this a Kafka listener?")
        }
        return Int(length)
    }

    /// Keeps the start of a frame, with room for all of it.
    private mutating func keep(_ bytes: ByteBuffer) throws(KafkaClientError) {
        let needed = try nextLength(bytes).map { $0 + 4 } ?? bytes.readableBytes
        if bytes.readerIndex == 0, bytes.capacity >= needed {
            rest = bytes
            return
        }
        var room = ByteBuffer()
        room.reserveCapacity(needed)
        room.writeImmutableBuffer(bytes)
        rest = room
    }
}
