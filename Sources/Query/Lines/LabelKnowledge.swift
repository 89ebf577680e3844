internal import Search
internal import Telemetry

/// What is known of the labels that the lines of a selector have, before any line is read.
struct LabelKnowledge: Sendable {
    /// Names that some of the streams have.
    var someStreams: Set<String> = []
    /// Names that all of them have.
    var allStreams: Set<String> = []
    /// Names that structured metadata may have; nil if that is not known.
    var metadata: Set<String>?

    /// Where a label's value comes from.
    enum Origin: Equatable {
        case stream
        case level
        case field(FieldReference)
        /// Nowhere: it is "".
        case nowhere
        /// It depends on the line.
        case unknown
    }

    init(_ streams: [StreamLabels], metadata: Set<String>?) {
        self.metadata = metadata
        for (index, stream) in streams.enumerated() {
            let names = Set(stream.labels.map(\.name))
            someStreams.formUnion(names)
            if index == 0 { allStreams = names } else { allStreams.formIntersection(names) }
        }
    }

    /// Where a label comes from behind a parser, or behind none.
    func origin(of name: String, behind format: FieldFormat?) -> Origin {
        if name.hasPrefix("__") || name.hasSuffix("_extracted") { return .unknown }
        if allStreams.contains(name) { return .stream }
        if someStreams.contains(name) { return .unknown }
        if name == "detected_level" { return metadata?.contains(name) == true ? .unknown : .level }
        guard let metadata, !metadata.contains(name) else { return .unknown }
        return format.map { .field(FieldReference($0, name)) } ?? .nowhere
    }
}
