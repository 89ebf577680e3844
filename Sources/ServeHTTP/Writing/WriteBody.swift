import Bytes
import HTTPTypes
import Hummingbird
import Ingest
import NIOCore

/// The lines of a request, in one piece, and the room they take among all that are being written.
struct WriteBody {
    /// The most bytes of a request, as sent and uncompressed: InfluxDB's `max-body-size`.
    static let maximumBytes = 25_000_000

    /// Why there is no body.
    enum Refusal: Error, Equatable {
        /// It has more bytes than `maximumBytes`.
        case tooLarge
        /// Nothing can be taken now.
        case busy
        /// It is not compressed as the request says.
        case undecodable(String)
        /// It is compressed in a way that is not served.
        case unserved(String)
    }

    private enum Content {
        case plain(ByteBuffer)
        case inflated([UInt8])
    }

    private let content: Content
    private let reservations: [WriteReservation]

    /// The content codings of InfluxDB's clients, and those of Loki's. `snappy` says what the body is anyhow.
    static let influxCodings: Set<String> = ["gzip"]
    static let lokiCodings: Set<String> = ["gzip", "deflate", "snappy"]

    /// Reads the body of a request for a database or a tenant. What is too large is not read to its end.
    ///
    /// - Throws: `Refusal`, or what the connection throws when it breaks.
    static func read(
        _ request: Request, database: [UInt8], codings: Set<String> = influxCodings, _ ingest: Ingest
    ) async throws -> WriteBody {
        let announced = request.headers[.contentLength].flatMap { Int($0) }
        if let announced, announced > maximumBytes { throw Refusal.tooLarge }
        var room = BodyRoom(ingest: ingest, database: database)
        try room.grow(to: announced ?? 0)
        var whole: ByteBuffer?
        for try await part in request.body {
            guard var bytes = whole else {
                whole = part
                try room.grow(to: part.readableBytes)
                if let announced, announced > part.readableBytes { whole?.reserveCapacity(announced) }
                continue
            }
            guard bytes.readableBytes + part.readableBytes <= maximumBytes else { throw Refusal.tooLarge }
            try room.grow(to: bytes.readableBytes + part.readableBytes)
            // Given up while it is appended to, or each part would copy all before it.
            whole = nil
            bytes.writeImmutableBuffer(part)
            whole = bytes
        }
        let bytes = whole ?? ByteBuffer()
        guard bytes.readableBytes <= maximumBytes else { throw Refusal.tooLarge }
        let coding = request.headers[.contentEncoding]?.lowercased() ?? ""
        guard coding.isEmpty || coding == "identity" || codings.contains(coding) else {
            throw Refusal.unserved(String(coding.prefix(40)))
        }
        switch coding {
        case "gzip":
            let inflated = try inflate(bytes, &room)
            return WriteBody(content: .inflated(inflated), reservations: room.reservations)
        case "deflate":
            try room.grow(to: bytes.readableBytes + min(maximumBytes, bytes.readableBytes * Self.usualRatio))
            let inflated = try inflateBare(bytes)
            try room.grow(to: bytes.readableBytes + inflated.count)
            return WriteBody(content: .inflated(inflated), reservations: room.reservations)
        default: return WriteBody(content: .plain(bytes), reservations: room.reservations)
        }
    }

    /// How many times as many bytes as a rule come out as went in.
    private static let usualRatio = 10

    private static func inflateBare(_ bytes: ByteBuffer) throws -> [UInt8] {
        let result: Result<[UInt8], BytesError> = bytes.withUnsafeReadableBytes { bytes in
            var writer = ByteWriter(capacity: min(maximumBytes, bytes.count * usualRatio + 64))
            do throws(BytesError) {
                try Deflate.decompress(bytes, limit: maximumBytes, into: &writer)
                return .success(writer.array())
            } catch {
                return .failure(error)
            }
        }
        do {
            return try result.get()
        } catch {
            throw error.code == .limitExceeded ? Refusal.tooLarge : .undecodable("deflate: \(error)")
        }
    }

    private static func inflate(_ bytes: ByteBuffer, _ room: inout BodyRoom) throws -> [UInt8] {
        // The last four bytes say how much comes out, if the sender is honest and the stream has one part.
        let stated = bytes.getInteger(
            at: bytes.writerIndex - min(4, bytes.readableBytes), endianness: .little, as: UInt32.self)
        let hint = min(Int(stated ?? 0), maximumBytes)
        try room.grow(to: bytes.readableBytes + hint)
        do {
            return try inflate(bytes, limit: hint)
        } catch  where error.code == .limitExceeded {
            guard hint < maximumBytes else { throw Refusal.tooLarge }
        } catch {
            throw Refusal.undecodable("gzip: \(error)")
        }
        try room.grow(to: bytes.readableBytes + maximumBytes)
        do {
            return try inflate(bytes, limit: maximumBytes)
        } catch {
            throw error.code == .limitExceeded ? Refusal.tooLarge : .undecodable("gzip: \(error)")
        }
    }

    private static func inflate(_ bytes: ByteBuffer, limit: Int) throws(BytesError) -> [UInt8] {
        let result: Result<[UInt8], BytesError> = bytes.withUnsafeReadableBytes { bytes in
            var writer = ByteWriter(capacity: max(1, limit))
            do throws(BytesError) {
                try Compression.gzip.decompress(bytes, limit: limit, into: &writer)
                return .success(writer.array())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Calls `body` with the lines.
    func withLines<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        switch content {
        case .plain(let buffer): buffer.withUnsafeReadableBytes(body)
        case .inflated(let bytes): bytes.withUnsafeBytes(body)
        }
    }
}

/// The room that a body takes while it grows.
private struct BodyRoom {
    let ingest: Ingest
    let database: [UInt8]
    private(set) var reservations: [WriteReservation] = []
    private var byteCount = 0

    /// By how much it grows at least: a body without a stated length takes room in few steps.
    private static let step = 1 << 20

    init(ingest: Ingest, database: [UInt8]) {
        self.ingest = ingest
        self.database = database
    }

    mutating func grow(to count: Int) throws(WriteBody.Refusal) {
        guard count > byteCount else { return }
        let added = byteCount == 0 ? count : max(count - byteCount, Self.step)
        guard let reservation = ingest.reserve(added, database: database) else { throw .busy }
        reservations.append(reservation)
        byteCount += added
    }
}
