import Columns
import Synchronization
import Telemetry

extension HeadTable {
    /// What readers see of a table: as of one moment, and unchanged whatever is applied later.
    struct View: Sendable {
        var seriesCount = 0
        var fields: [HeadField] = []
        /// The tag keys in the order in which they came, each with the number of its values.
        var tagKeys: [TagKey] = []
        var valueCounts: [Int] = []
        /// Lists of tag keys, each sorted by the keys' bytes: which tags a series has.
        var shapes: [[UInt16]] = []
        var windows: [HeadWindow] = []
        var masks: [HeadMask] = []
        var groups: [Group] = []

        /// Rows that came together.
        struct Group: Sendable {
            let group: RowGroup
            let rows: Int
            let columns: [HeadColumn?]

            func column(_ field: Int?) -> HeadColumn? {
                guard let field, field < columns.count else { return nil }
                return columns[field]
            }
        }

        var rowCount: Int { groups.reduce(0) { $0 + $1.rows } }

        func field(named name: [UInt8]) -> Int? { fields.firstIndex { $0.name == name } }
        func tagKey(named name: [UInt8]) -> Int? { tagKeys.firstIndex { $0.name == name } }
    }

    /// What is published now.
    func view() -> View { published.withLock { $0 } }
}

/// A tag key of a table, with its distinct values.
final class TagKey: Sendable {
    let name: [UInt8]
    let values: StringTable

    init(name: [UInt8], arena: ByteArena) {
        self.name = name
        values = StringTable(arena: arena)
    }
}
