import Bytes
import Columns
import KafkaWire
import Telemetry

/// Streams and metadata.
extension LineApplier {
    /// The stream of a record's key; without a key that is a set of labels, that of the topic's name, and the key is
    /// metadata.
    @inline(__always)
    func resolveStream(
        _ key: UnsafeRawBufferPointer?, _ keyAsMetadata: inout UnsafeRawBufferPointer?
    ) -> Result<Int, LineRefusal> {
        guard let key else { return topicStream() }
        let hash = BytesHash.hash(key)
        if let found = head.stream(key: key, hash: hash), head.streams[found].admitted == epoch {
            return .success(found)
        }
        return resolveSlowly(key, hash: hash, &keyAsMetadata)
    }

    /// A stream that is new to the head, or has to be looked at again, or is written in a new way.
    @inline(never)
    private func resolveSlowly(
        _ key: UnsafeRawBufferPointer, hash: UInt64, _ keyAsMetadata: inout UnsafeRawBufferPointer?
    ) -> Result<Int, LineRefusal> {
        guard key.first == UInt8(ascii: "{"), let labels = try? StreamLabels(bytes: key), !labels.labels.isEmpty else {
            keyAsMetadata = key
            return topicStream()
        }
        let outcome = admit(labels)
        // A key beyond the arena's bound is read anew each time.
        if case .success(let stream) = outcome, key.count <= ByteArena.maximumStringBytes,
            head.stream(key: key, hash: hash) == nil
        {
            head.remember(key: key, hash: hash, stream: stream)
        }
        return outcome
    }

    private func topicStream() -> Result<Int, LineRefusal> {
        let found = topicText.withUnsafeBytes { head.stream(text: $0, hash: topicHash) }
        if let found, head.streams[found].admitted == epoch { return .success(found) }
        return admit(topicLabels)
    }

    /// The stream of labels, if it is within the bounds; made if need be.
    private func admit(_ labels: StreamLabels) -> Result<Int, LineRefusal> {
        if let refusal = check(labels) { return .failure(refusal) }
        var text = labels.text
        return text.withUTF8 { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            guard bytes.count <= ByteArena.maximumStringBytes else {
                return .failure(.tooManyLabels(labels, state.limits.labels))
            }
            let hash = BytesHash.hash(bytes)
            guard state.streams.admit(hash, limit: state.limits.streams) else { return .failure(.streams(labels)) }
            let number = head.stream(text: bytes, hash: hash) ?? head.addStream(labels, text: bytes, hash: hash)
            head.admit(number, epoch: epoch)
            return .success(number)
        }
    }

    private func check(_ labels: StreamLabels) -> LineRefusal? {
        let limits = state.limits
        guard Int64(labels.labels.count) <= limits.labels else { return .tooManyLabels(labels, limits.labels) }
        for label in labels.labels {
            if Int64(label.name.utf8.count) > limits.labelNameBytes { return .labelNameTooLong(labels, label.name) }
            if Int64(label.value.utf8.count) > limits.labelValueBytes { return .labelValueTooLong(labels, label.value) }
        }
        return nil
    }

    /// The number of the set of metadata that the record's headers (but `ns`) are, and its key if that is no label set.
    @inline(never)
    func resolveMetadata(
        _ record: RecordView, key: UnsafeRawBufferPointer?, _ stream: Int
    ) -> Result<UInt32, LineRefusal> {
        // The key stands behind the headers, as one more.
        if let key {
            headers.write(contentsOf: Array("key=".utf8))
            headers.write(contentsOf: key)
        }
        return headers.withUnsafeBytes { written in
            let hash = BytesHash.hash(written)
            let isShort = written.count <= ByteArena.maximumStringBytes
            if isShort, let found = head.metadata.set(written: written, hash: hash) { return .success(found) }
            let labels = Self.labels(record, key)
            if let refusal = check(metadata: labels, stream) { return .failure(refusal) }
            let set = head.metadata.intern(labels)
            if isShort { head.metadata.remember(written: written, hash: hash, set: set) }
            return .success(set)
        }
    }

    private static func labels(_ record: RecordView, _ key: UnsafeRawBufferPointer?) -> [StreamLabels.Label] {
        var labels: [StreamLabels.Label] = []
        var hasFraction = false
        for header in record.headers {
            let value = header.value ?? []
            if !hasFraction, header.key == "ns", value.withUnsafeBytes({ fraction($0) }) != nil {
                hasFraction = true
            } else {
                labels.append(StreamLabels.Label(header.key, String(decoding: value, as: UTF8.self)))
            }
        }
        if let key { labels.append(StreamLabels.Label("key", String(decoding: key, as: UTF8.self))) }
        return StreamLabels(labels).labels
    }

    private func check(metadata labels: [StreamLabels.Label], _ stream: Int) -> LineRefusal? {
        let limits = state.limits
        guard Int64(labels.count) <= limits.metadataEntries else {
            return .tooMuchMetadata(head.streams[stream].labels, labels.count, limits.metadataEntries)
        }
        let bytes = labels.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        // Escaped and quoted it takes up to eight times as much, which has to fit into the head's memory.
        let limit = min(limits.metadataBytes, Self.maximumLineBytes / 10)
        guard Int64(bytes) <= limit else {
            return .metadataTooLarge(head.streams[stream].labels, bytes, limit)
        }
        return nil
    }
}
