import KafkaWire
import Machine

/// The sync journal, offline. What only it holds was acknowledged and is not missing: segments are judged as they will
/// be after the redo, which the next start makes, or a repair.
extension LogCheck {
    mutating func checkJournal() throws(LogError) {
        var redo = try JournalRedo(in: directory, files)
        let content = redo.content
        for finding in content.findings {
            report.note(
                finding.position == 0 ? .rebuildable : .damage, finding.path, at: Int64(finding.position),
                finding.message, repair: isRepairing ? "the other rounds were put into the segments" : nil)
        }
        let path = content.sources.last?.path ?? directory
        let bytes = content.extents.values.joined().reduce(0) { $0 + $1.end - $1.position }
        guard isRepairing else {
            journal = content
            guard bytes > 0 else { return }
            return report.note(
                .notice, path,
                "the sync journal holds \(bytes) bytes of \(content.segments.count) segments; the next start puts them there"
            )
        }
        let places = try topicDirectories(for: content)
        try redo.run { id throws(LogError) in places[id] }
        guard bytes > 0 else { return }
        report.note(
            .notice, path, "the sync journal held \(bytes) bytes of \(content.segments.count) segments",
            repair: "put \(redo.bytes) bytes into \(redo.segments) segments")
    }

    /// The topics' directories by id. What the journal holds for a topic without one is of a deleted topic, unless there
    /// is a directory that does not tell its id.
    private func topicDirectories(for content: JournalContent) throws(LogError) -> [Uuid: String] {
        var places: [Uuid: String] = [:]
        var nameless: String?
        do {
            let log = directory + "/log"
            guard try files.information(at: log) != nil else { return places }
            for name in try files.contents(ofDirectory: log) {
                let place = log + "/" + name
                if let id = TopicDirectory.identity(of: place, files) { places[id] = place } else { nameless = place }
            }
        } catch {
            throw LogError(.storage, "cannot list the topics of \(directory)", cause: error)
        }
        if let nameless, content.segments.contains(where: { places[$0.topicID] == nil }) {
            throw LogError(
                .storage,
                """
                \(nameless) does not tell its topic's id, and the sync journal may hold something for it; start the \
                server once, which knows, and repair then
                """)
        }
        return places
    }
}
