import KafkaWire
public import Log
public import Machine

/// Verifies what views keep in a data directory that no server has open: manifests and the checksums of blocks. Changes
/// nothing. What a block's bytes mean is its view's matter (`millrace series check`).
public enum ViewCheck {
    /// Adds what is wrong to a report of the log.
    ///
    /// - Throws: `.storage` if something cannot be read.
    public static func run(
        directory: String, machine: Machine, into report: inout LogReport
    ) throws(ViewError) {
        let files = machine.files
        let all = ViewDirectory.all(data: directory)
        for topic in try names(all, files) {
            guard let id = Uuid(topic) else {
                report.note(.notice, all + "/" + topic, "is no view; the next start removes it")
                continue
            }
            for name in try names(all + "/" + topic, files) {
                guard let place = ViewDirectory(data: directory, topicID: id, named: name) else { continue }
                try check(place, files, &report)
            }
        }
    }

    private static func check(
        _ place: ViewDirectory, _ files: any FileSystem, _ report: inout LogReport
    ) throws(ViewError) {
        guard try !names(place.manifests, files).isEmpty else { return }
        let chain: ManifestChain
        do throws(ViewError) {
            chain = try ManifestChain(place, files: files)
        } catch {
            guard error.code == .damaged || error.code == .formatTooNew else { throw error }
            return report.note(.damage, place.manifests, error.message)
        }
        for finding in chain.findings { report.note(.rebuildable, place.manifests, finding) }
        guard let manifest = chain.newest else { return }
        let store = try DirectoryBlockStore(place, files: files, nextBlockID: manifest.nextBlockID)
        for entry in manifest.blocks {
            do throws(ViewError) {
                try store.verify(entry)
            } catch {
                guard error.code == .damaged else { throw error }
                report.note(.damage, place.blocks, error.message)
            }
        }
        let known = Set(manifest.blocks.map { NumberedFile.name($0.id, NumberedFile.block) })
        for name in try names(place.blocks, files) where !known.contains(name) {
            report.note(.notice, place.blocks + "/" + name, "no manifest names it; the next start removes it")
        }
    }

    private static func names(_ path: String, _ files: any FileSystem) throws(ViewError) -> [String] {
        do {
            guard try files.information(at: path)?.isDirectory == true else { return [] }
            return try files.contents(ofDirectory: path)
        } catch {
            throw ViewError("cannot list \(path)", error)
        }
    }
}
