/// Chooses between syncing each file of a round and syncing the whole volume: docs/decisions/002.
///
/// `syncfs` also waits for what other programs wrote, so the choice follows measured costs: a model of both, each
/// times a factor that is learned from every round. While `syncfs` looks dear it is not measured; its factor then
/// drifts back, so that it is tried again.
struct SyncChoice: Sendable {
    /// Fewer files are always synced one by one.
    static let minimumFiles = 4
    private static let weight = 0.2
    private static let drift = 0.02

    private(set) var fileFactor = 1.0
    private(set) var volumeFactor = 1.0

    /// Measured on ext4 with four threads, nanoseconds: 1 file 100,000, 10 files 360,000, 100 files 2.3 ms.
    static func modelOfFiles(_ count: Int) -> Double { 76_000 + 24_000 * Double(count) }
    /// Measured on ext4, nanoseconds: 10 files 160,000, 100 files 0.79 ms, 1,000 files 8 ms.
    static func modelOfVolume(_ count: Int) -> Double { 84_000 + 8_000 * Double(count) }

    mutating func usesVolume(for count: Int) -> Bool {
        guard count >= Self.minimumFiles else { return false }
        if volumeFactor * Self.modelOfVolume(count) < fileFactor * Self.modelOfFiles(count) { return true }
        volumeFactor += (fileFactor - volumeFactor) * Self.drift
        return false
    }

    mutating func note(volume nanoseconds: UInt64, files count: Int) {
        let factor = Double(nanoseconds) / Self.modelOfVolume(count)
        volumeFactor += (factor - volumeFactor) * Self.weight
    }

    mutating func note(files nanoseconds: UInt64, files count: Int) {
        let factor = Double(nanoseconds) / Self.modelOfFiles(count)
        fileFactor += (factor - fileFactor) * Self.weight
    }
}
