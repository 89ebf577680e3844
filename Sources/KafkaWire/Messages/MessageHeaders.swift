public import Bytes

/// The header in front of every request (Kafka's RequestHeader, versions 1 and 2).
public struct RequestHeader: Sendable, Equatable {
    /// Which API.
    public var apiKey: Int16 = 0
    /// Which version of it.
    public var apiVersion: Int16 = 0
    /// A number of the client's choice that the response repeats.
    public var correlationId: Int32 = 0
    /// What the client calls itself.
    public var clientId: String?

    /// Assembles a header.
    public init(apiKey: Int16, apiVersion: Int16, correlationId: Int32, clientId: String?) {
        self.apiKey = apiKey
        self.apiVersion = apiVersion
        self.correlationId = correlationId
        self.clientId = clientId
    }

    /// Decodes a header of either version.
    ///
    /// For an API key or version that we do not know, only the header's fields are read: the body's first byte is
    /// then not known, and nothing more should be read from it.
    public init(decoding reader: inout ByteReader) throws(WireError) {
        do throws(BytesError) {
            apiKey = try reader.int16()
            apiVersion = try reader.int16()
            correlationId = try reader.int32()
            clientId = try reader.nullableString(compact: false)
            guard let api = ApiKey(rawValue: apiKey), api.versions.contains(apiVersion) else { return }
            if api.requestHeaderVersion(apiVersion) >= 2 { try reader.skipTaggedFields() }
        } catch {
            throw WireError(code: .malformedMessage, message: "request header", cause: error)
        }
    }

    /// Appends the header in a version (1 or 2).
    public func encode(into writer: inout ByteWriter, headerVersion: Int16) {
        writer.write(apiKey)
        writer.write(apiVersion)
        writer.write(correlationId)
        writer.write(clientId, compact: false)
        if headerVersion >= 2 { writer.writeUnsignedVarint(0) }
    }
}

/// The header in front of every response (Kafka's ResponseHeader, versions 0 and 1).
public struct ResponseHeader: Sendable, Equatable {
    /// The number of the request that this answers.
    public var correlationId: Int32 = 0

    /// Assembles a header.
    public init(correlationId: Int32) { self.correlationId = correlationId }

    /// Decodes a header of a version (0 or 1).
    public init(decoding reader: inout ByteReader, headerVersion: Int16) throws(WireError) {
        do throws(BytesError) {
            correlationId = try reader.int32()
            if headerVersion >= 1 { try reader.skipTaggedFields() }
        } catch {
            throw WireError(code: .malformedMessage, message: "response header", cause: error)
        }
    }

    /// Appends the header in a version (0 or 1).
    public func encode(into writer: inout ByteWriter, headerVersion: Int16) {
        writer.write(correlationId)
        if headerVersion >= 1 { writer.writeUnsignedVarint(0) }
    }
}

extension KafkaRequest {
    /// Appends a whole frame: the int32 length, the header and this request.
    ///
    /// Gaps count into the length (see `ByteWriter.writeGap`).
    public func encodeFrame(
        into writer: inout ByteWriter, version: Int16, correlationId: Int32, clientId: String?
    ) {
        let frame = writer.beginFrame()
        RequestHeader(apiKey: Self.apiKey, apiVersion: version, correlationId: correlationId, clientId: clientId)
            .encode(into: &writer, headerVersion: Self.headerVersion(version))
        encode(into: &writer, version: version)
        writer.endFrame(frame)
    }
}

extension KafkaResponse {
    /// Appends a whole frame: the int32 length, the header and this response.
    ///
    /// Gaps count into the length (see `ByteWriter.writeGap`).
    public func encodeFrame(into writer: inout ByteWriter, version: Int16, correlationId: Int32) {
        let frame = writer.beginFrame()
        ResponseHeader(correlationId: correlationId)
            .encode(into: &writer, headerVersion: Self.headerVersion(version))
        encode(into: &writer, version: version)
        writer.endFrame(frame)
    }
}

extension ByteWriter {
    /// Starts a frame: leaves room for its length. Frames can follow each other in one writer.
    public mutating func beginFrame() -> FrameStart {
        let start = FrameStart(position: count, messageCount: messageCount)
        write(Int32(0))
        return start
    }

    /// Ends a frame: writes its length, which counts gaps too.
    public mutating func endFrame(_ start: FrameStart) {
        let length = messageCount - start.messageCount - 4
        precondition(length <= Int(Int32.max), "a frame of more than 2 GiB")
        patch(Int32(length), at: start.position)
    }
}

/// Where a frame starts in a writer (`ByteWriter.beginFrame`).
public struct FrameStart: Sendable {
    let position: Int
    let messageCount: Int
}
