import KafkaWire
import Machine

/// Puts what the journal promises into the segments, before anything opens these.
struct JournalRedo {
    let content: JournalContent
    let directory: String
    let files: any FileSystem
    /// Bytes that were written.
    private(set) var bytes: Int64 = 0
    /// Segments that they were written to.
    private(set) var segments = 0

    init(in directory: String, _ files: any FileSystem) throws(LogError) {
        content = try JournalContent(in: directory, files)
        self.directory = directory
        self.files = files
    }

    /// Does it all; again is no harm.
    ///
    /// - Parameter place: the directory of a topic; nil if the topic is gone.
    mutating func run(_ place: (Uuid) throws(LogError) -> String?) throws(LogError) {
        do throws(MachineError) {
            // The first call opens the descriptor that will hear of errors in what is written from now on.
            if !content.isEmpty { try files.synchronizeVolume(holding: directory) }
        } catch {
            throw LogError(.storage, "cannot redo the sync journal in \(directory)", cause: error)
        }
        var places: [Uuid: String?] = [:]
        for key in content.segments {
            if places[key.topicID] == nil { places[key.topicID] = .some(try place(key.topicID)) }
            guard case .some(.some(let topic)) = places[key.topicID] else { continue }
            try redo(key, at: "\(topic)/\(key.partition)/\(SegmentName.file(key.base, .log))")
        }
        do throws(MachineError) {
            if !content.isEmpty { try files.synchronizeVolume(holding: directory) }
            try empty()
        } catch {
            throw LogError(.storage, "cannot redo the sync journal in \(directory)", cause: error)
        }
    }

    private mutating func redo(_ key: JournalContent.SegmentKey, at path: String) throws(LogError) {
        do throws(MachineError) {
            // Retention took it, or a deletion is on its way.
            guard try files.information(at: path) != nil else { return }
            let file = try files.open(path, .readWrite)
            defer { file.close() }
            for extent in content.extents[key] ?? [] {
                try content.withBytes(of: extent) { bytes throws(MachineError) in
                    try file.write(bytes, at: extent.position)
                }
                bytes += extent.end - extent.position
            }
            segments += 1
        } catch {
            throw LogError(.storage, "cannot redo \(path) from the sync journal", cause: error)
        }
    }

    /// Lets no round count any more, whatever becomes of a first block: first by the generation, then by clearing the
    /// first place.
    private func empty() throws(MachineError) {
        var generation = content.lastGeneration
        for source in content.sources where source.image.bytes.count >= 2 * JournalFormat.blockBytes {
            generation += 1
            guard source.image.hasFirstRound || !source.image.rounds.isEmpty || source.image.isFirstBlockDamaged else {
                continue
            }
            let file = try files.open(source.path, .readWrite)
            defer { file.close() }
            try JournalFile.empty(file, generation: generation, isClearing: true)
        }
    }
}
