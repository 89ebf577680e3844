import Machine

/// Where bytes that do not verify are kept. Nothing removes them but an operator.
enum Quarantine {
    /// A name beside `path` that is free.
    static func place(for path: String, _ files: any FileSystem) throws(MachineError) -> String {
        var number = 0
        while true {
            let place = path + (number == 0 ? "" : ".\(number)") + SegmentName.quarantine
            if try files.information(at: place) == nil { return place }
            number += 1
        }
    }

    /// Moves a file there.
    @discardableResult
    static func take(_ path: String, _ files: any FileSystem) throws(MachineError) -> String {
        let place = try place(for: path, files)
        try files.rename(path, to: place)
        return place
    }
}
