import Bytes
import KafkaWire

/// A request's place in the order of its connection.
typealias Ticket = ResponseQueue<Response>.Ticket

/// Which request of which connection, as other threads name it.
struct RequestID: Hashable, Sendable {
    let connection: ConnectionID
    let ticket: Ticket
}

/// What a response repeats of its request, and when the request came.
struct RequestStamp: Sendable {
    let api: ServedAPI
    let version: Int16
    let correlationID: Int32
    /// When its work on the event loop was done, in monotonic nanoseconds.
    var handledAt: UInt64 = 0

    /// The same with the time at which its work on the event loop was done.
    func handled(at now: UInt64) -> RequestStamp {
        var stamp = self
        stamp.handledAt = now
        return stamp
    }
}

/// A response that is ready but may have to wait for others to leave first. It is encoded when it leaves.
struct Response: Sendable {
    /// The body.
    enum Body: Sendable {
        case produce(ProduceResponse)
        /// The records of the response are gaps that `slices` fill, in order.
        case fetch(FetchResponse, slices: [FetchedSlice])
        case other(any KafkaResponse)
        /// Bytes after the response header.
        case bytes([UInt8])
    }

    let stamp: RequestStamp
    let body: Body
    /// When it became ready, in monotonic nanoseconds.
    let readyAt: UInt64

    /// Appends the whole frame, with a gap for the bytes of each slice.
    func encodeFrame(into writer: inout ByteWriter) {
        let (version, correlationID) = (stamp.version, stamp.correlationID)
        switch body {
        case .produce(let response):
            response.encodeFrame(into: &writer, version: version, correlationId: correlationID)
        case .fetch(let response, _):
            response.encodeFrame(into: &writer, version: version, correlationId: correlationID)
        case .other(let response):
            response.encodeFrame(into: &writer, version: version, correlationId: correlationID)
        case .bytes(let bytes):
            let frame = writer.beginFrame()
            ResponseHeader(correlationId: correlationID).encode(into: &writer, headerVersion: 0)
            writer.write(contentsOf: bytes)
            writer.endFrame(frame)
        }
    }
}
