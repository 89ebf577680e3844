import NIOCore

/// Cuts the bytes of one connection into Kafka's frames: a size of four bytes, then that many bytes.
///
/// A frame that lies whole in one received buffer is handed out in place. One that spans several is gathered into a
/// buffer of its own, once. What the peer claims costs nothing: memory follows the bytes that have arrived.
struct FrameAccumulator {
    /// What the next bytes are.
    enum Step: Equatable {
        /// A whole frame, without its size.
        case frame(ByteBuffer)
        /// More bytes are needed. `frameBytes` is the size of the frame that has begun, if it is known.
        case needsMore(frameBytes: Int?)
        /// The peer announced a frame of this size, which is below 8 (a header's least) or above the limit.
        case refused(announcedBytes: Int)
    }

    /// The largest frame, in bytes, without its size.
    let maximumFrameBytes: Int
    /// Bytes that arrived and are not cut yet. Starts at a frame's size, or inside the frame being gathered.
    private var incoming = ByteBuffer()
    /// A frame that spans received buffers, with its size; empty when none does.
    private var gathered = ByteBuffer()

    /// The four bytes that announce a frame's size.
    private static let sizeBytes = 4
    /// API key, API version and correlation id: no request is shorter.
    private static let minimumFrameBytes = 8
    /// How far a gathering buffer runs ahead of the bytes that have arrived: frames up to 1 MiB (the largest batch
    /// by default) are allocated once, larger ones grow by doubling.
    private static let allocatedAhead = 1 << 20

    init(maximumFrameBytes: Int) {
        self.maximumFrameBytes = maximumFrameBytes
    }

    /// The bytes held: those of an unfinished frame, and whole frames that were not asked for yet.
    var heldBytes: Int { incoming.readableBytes + gathered.readableBytes }
    /// Whether a frame has begun and is not complete, or waits to be taken.
    var isEmpty: Bool { heldBytes == 0 }

    /// Adds what was received.
    mutating func append(_ buffer: ByteBuffer) {
        if incoming.readableBytes == 0 {
            incoming = buffer
        } else {
            incoming.writeImmutableBuffer(buffer)
        }
    }

    /// Takes the next frame, or says what is missing.
    mutating func next() -> Step {
        gathered.readableBytes > 0 ? nextGathered() : nextInPlace()
    }

    private mutating func nextInPlace() -> Step {
        guard let size = incoming.getInteger(at: incoming.readerIndex, as: Int32.self).map(Int.init) else {
            return startGathering(frameBytes: nil)
        }
        guard (Self.minimumFrameBytes...maximumFrameBytes).contains(size) else {
            return .refused(announcedBytes: size)
        }
        guard incoming.readableBytes >= Self.sizeBytes + size else { return startGathering(frameBytes: size) }
        incoming.moveReaderIndex(forwardBy: Self.sizeBytes)
        guard let frame = incoming.readSlice(length: size) else { return .needsMore(frameBytes: size) }
        releaseIfEmpty()
        return .frame(frame)
    }

    private mutating func startGathering(frameBytes: Int?) -> Step {
        if incoming.readableBytes > 0 {
            reserve(frameBytes)
            gathered.writeBuffer(&incoming)
        }
        releaseIfEmpty()
        return .needsMore(frameBytes: frameBytes)
    }

    private mutating func nextGathered() -> Step {
        gather(upTo: Self.sizeBytes)
        guard let size = gathered.getInteger(at: gathered.readerIndex, as: Int32.self).map(Int.init) else {
            return .needsMore(frameBytes: nil)
        }
        guard (Self.minimumFrameBytes...maximumFrameBytes).contains(size) else {
            return .refused(announcedBytes: size)
        }
        reserve(size)
        gather(upTo: Self.sizeBytes + size)
        guard gathered.readableBytes == Self.sizeBytes + size else { return .needsMore(frameBytes: size) }
        gathered.moveReaderIndex(forwardBy: Self.sizeBytes)
        let frame = gathered
        gathered = ByteBuffer()
        return .frame(frame)
    }

    /// Moves bytes over until `gathered` holds `count`, or none are left.
    private mutating func gather(upTo count: Int) {
        let missing = min(count - gathered.readableBytes, incoming.readableBytes)
        guard missing > 0, var part = incoming.readSlice(length: missing) else { return }
        gathered.writeBuffer(&part)
        releaseIfEmpty()
    }

    private mutating func reserve(_ frameBytes: Int?) {
        guard let frameBytes else { return }
        let arrived = gathered.readableBytes + incoming.readableBytes
        let wanted = min(Self.sizeBytes + frameBytes, max(2 * arrived, Self.allocatedAhead))
        if gathered.capacity < wanted { gathered.reserveCapacity(wanted) }
    }

    /// Lets the receive buffer go as soon as nothing of it is needed, so that the channel can reuse it.
    private mutating func releaseIfEmpty() {
        if incoming.readableBytes == 0 { incoming = ByteBuffer() }
    }
}
