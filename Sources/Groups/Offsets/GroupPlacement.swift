import Log

/// Which partition of `__consumer_offsets` a group belongs to: as in Kafka, the hash that Java gives the id, so that
/// tools that read the topic find it.
enum GroupPlacement {
    static func partition(of group: String, count: Int) -> Int {
        var hash: Int32 = 0
        for unit in group.utf16 { hash = hash &* 31 &+ Int32(unit) }
        return hash == .min ? 0 : Int(abs(hash)) % count
    }
}
