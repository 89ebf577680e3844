/// What a backup has done.
public struct BackupReport: Sendable, Equatable {
    /// Partitions of the backup.
    public internal(set) var partitions = 0
    /// Topics of the backup.
    public internal(set) var topics = 0
    /// Records and the offsets that deletion or repair have left empty: the sum of all partitions' lengths.
    public internal(set) var offsets: Int64 = 0
    /// Files of the backup.
    public internal(set) var files = 0
    /// Their bytes.
    public internal(set) var bytes: Int64 = 0
    /// Of these, bytes that take no space of their own: links to the server's segments or to an earlier backup's.
    public internal(set) var linkedBytes: Int64 = 0
    /// What is damaged in the server's files. The backup holds it as it is.
    public internal(set) var findings: [String] = []
    /// Worth knowing; nothing is lost.
    public internal(set) var notices: [String] = []

    mutating func count(_ file: BackupManifest.File) {
        files += 1
        bytes += file.sizeBytes
        if file.isLink { linkedBytes += file.sizeBytes }
    }
}
