/// The labels of a stream of lines: names and values, sorted by name, each name once, no empty value.
///
/// The canonical text, `{app="x", host="y"}` without the space, is the key of a stream's records in the log, and what
/// two equal sets of labels have in common byte for byte.
public struct StreamLabels: Sendable, Hashable {
    /// A name and its value.
    public struct Label: Sendable, Hashable {
        /// The name: letters, digits and underscores, not a digit first.
        public let name: String
        /// The value: any text but the empty one, which means that there is no such label.
        public let value: String

        /// Assembles a label.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The labels, sorted by the bytes of their names.
    public let labels: [Label]

    /// Sorts labels and leaves out those without a value; of equal names the last counts.
    public init(_ labels: [Label]) {
        var byName: [String: String] = [:]
        for label in labels { byName[label.name] = label.value }
        self.labels = byName.filter { !$0.value.isEmpty }.map { Label($0.key, $0.value) }.sorted {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
    }

    /// Takes labels that are sorted by name, without an empty value and without a name twice.
    init(ordered labels: [Label]) { self.labels = labels }

    /// The value of a label; "" if there is none.
    public subscript(name: String) -> String {
        labels.first { $0.name == name }?.value ?? ""
    }

    /// Whether a text may be a label's name: letters, digits and underscores, not a digit first.
    public static func isLabelName(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, first < UInt8(ascii: "0") || first > UInt8(ascii: "9") else { return false }
        return name.utf8.allSatisfy(FieldText.isNameByte)
    }
}
