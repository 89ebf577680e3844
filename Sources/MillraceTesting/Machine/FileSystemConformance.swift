public import Machine
import Testing

/// What every `FileSystem` must do, the real one and the simulated one alike.
public struct FileSystemConformance: Sendable {
    /// One aspect.
    public enum Check: String, Sendable, CaseIterable {
        /// What `open` creates, empties, keeps and refuses.
        case access
        /// Reads and writes at positions, holes and ends.
        case positions
        /// Cutting and extending.
        case truncation
        /// Maps show the file, also what is written later.
        case maps
        /// `preallocate` reserves and changes nothing that can be seen.
        case preallocation
        /// Creating and listing directories.
        case directories
        /// Renaming files and directories.
        case renaming
        /// Second names of files.
        case linking
        /// Removing files and trees, also open ones.
        case removal
        /// Every kind of sync succeeds on what exists.
        case synchronization
        /// One holder at a time.
        case locks
        /// `close` is final and harmless to repeat.
        case closing
        /// Sizes of files and of the volume.
        case sizes
    }

    let files: any FileSystem
    let directory: String

    /// Checks `files`, in an existing empty directory of it.
    public init(_ files: any FileSystem, directory: String) {
        self.files = files
        self.directory = directory
    }

    /// Runs one check; failures are recorded as issues of the running test.
    public func run(_ check: Check) throws {
        switch check {
        case .access: try access()
        case .positions: try positions()
        case .truncation: try truncation()
        case .maps: try maps()
        case .preallocation: try preallocation()
        case .directories: try directories()
        case .renaming: try renaming()
        case .linking: try linking()
        case .removal: try removal()
        case .synchronization: try synchronization()
        case .locks: try locks()
        case .closing: try closing()
        case .sizes: try sizes()
        }
    }

    func path(_ name: String) -> String { directory + "/" + name }

    /// Expects a `MachineError` with a code, naming `path` if given.
    func expect(
        _ code: MachineError.Code, path: String? = nil, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) {
        let error = #expect(throws: MachineError.self, sourceLocation: sourceLocation) { try body() }
        #expect(error?.code == code, sourceLocation: sourceLocation)
        if let path { #expect(error?.path == path, sourceLocation: sourceLocation) }
    }
}

extension FileSystemConformance {
    private func access() throws {
        let path = path("a")
        expect(.notFound, path: path) { _ = try files.open(path, .read) }
        expect(.notFound) { _ = try files.open(path, .readWrite) }
        expect(.notFound) { _ = try files.open(self.path("missing/a"), .readWriteCreate) }
        try files.open(path, .create).write("one", at: 0)
        expect(.exists) { _ = try files.open(path, .create) }
        #expect(try files.open(path, .readWriteCreate).text() == "one")
        let reader = try files.open(path, .read)
        #expect(try reader.text() == "one")
        expect(.other) { try reader.write("no", at: 0) }
        #expect(throws: MachineError.self) { try reader.truncate(to: 0) }
        try files.open(path, .readWrite).write("tw", at: 0)
        #expect(try reader.text() == "twe")
        #expect(try files.open(path, .replace).text() == "")
        #expect(try reader.size() == 0)
        #expect(throws: MachineError.self) { _ = try files.open(directory, .readWrite) }
    }

    private func positions() throws {
        let file = try files.open(path("a"), .create)
        try file.write("tail", at: 1000)
        #expect(try file.size() == 1004)
        #expect(try file.bytes(0..<1000).allSatisfy { $0 == 0 })
        #expect(try file.text(1000..<1004) == "tail")
        #expect(try file.text(1002..<2000) == "il", "a read stops at the end")
        #expect(try file.bytes(1004..<1010).isEmpty)
        #expect(try file.bytes(9999..<10_010).isEmpty)
        try file.write("", at: 5000)
        #expect(try file.size() == 1004, "an empty write extends nothing")
        let large = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try large.withUnsafeBytes { try file.write($0, at: 500) }
        #expect(try file.bytes(500..<400_500) == large)
        expect(.other) { try file.write("no", at: -1) }
    }

    private func truncation() throws {
        let file = try files.open(path("a"), .create)
        try file.write("abcdef", at: 0)
        try file.truncate(to: 2)
        #expect(try file.text() == "ab")
        try file.truncate(to: 4)
        #expect(try file.bytes(0..<10) == [97, 98, 0, 0], "what was cut does not come back")
        expect(.other) { try file.truncate(to: -1) }
    }

    private func maps() throws {
        let file = try files.open(path("a"), .create)
        try file.write("abcdef", at: 0)
        let map = try file.map(4)
        #expect(Array(map.bytes) == Array("abcd".utf8))
        try file.write("XYZ", at: 3)
        #expect(Array(map.bytes) == Array("abcX".utf8))
        expect(.other) { _ = try file.map(7) }
        #expect(try file.map(0).bytes.isEmpty)
        try file.truncate(to: 100_000)
        let wide = try file.map(100_000)
        file.close()
        try files.remove(path("a"))
        #expect(wide.bytes[5] == UInt8(ascii: "Z") && wide.bytes[99_999] == 0, "a map outlives its file")
    }

    private func preallocation() throws {
        let file = try files.open(path("a"), .create)
        file.preallocate(to: 1 << 20)
        #expect(try file.size() == 0)
        try file.write("abc", at: 0)
        file.preallocate(to: 1)
        #expect(try file.text() == "abc")
        file.readAhead(0..<(1 << 30))
    }

    private func directories() throws {
        try files.createDirectory(path("x/y/z"))
        try files.createDirectory(path("x/y/z"))
        try files.createDirectory(path("x//w/"))
        _ = try files.open(path("x/b"), .create)
        _ = try files.open(path("x/a"), .create)
        #expect(try files.contents(ofDirectory: path("x")) == ["a", "b", "w", "y"])
        #expect(try files.contents(ofDirectory: path("x/y/z")).isEmpty)
        #expect(try files.information(at: path("x/y"))?.isDirectory == true)
        expect(.notFound) { _ = try files.contents(ofDirectory: path("none")) }
        expect(.notFound) { _ = try files.contents(ofDirectory: path("x/a")) }
        expect(.exists) { try files.createDirectory(path("x/a")) }
        #expect(throws: MachineError.self) { try files.createDirectory(path("x/a/below")) }
    }

    private func renaming() throws {
        let file = try files.open(path("a"), .create)
        try file.write("one", at: 0)
        try files.open(path("b"), .create).write("two", at: 0)
        try files.rename(path("a"), to: path("b"))
        #expect(try files.contents(ofDirectory: directory) == ["b"])
        #expect(try files.open(path("b"), .read).text() == "one")
        try file.write("ONE", at: 0)
        #expect(try files.open(path("b"), .read).text() == "ONE", "an open file follows its name")
        expect(.notFound, path: path("a")) { try files.rename(path("a"), to: path("c")) }
        try files.createDirectory(path("d/e"))
        try files.rename(path("b"), to: path("d/e/f"))
        try files.rename(path("d"), to: path("g"))
        #expect(try files.open(path("g/e/f"), .read).text() == "ONE")
        #expect(try files.information(at: path("d")) == nil)
        try files.createDirectory(path("full/x"))
        expect(.exists) { try files.rename(path("g"), to: path("full")) }
    }

    private func linking() throws {
        let file = try files.open(path("a"), .create)
        try file.write("one", at: 0)
        try files.createDirectory(path("d"))
        try files.link(path("a"), to: path("d/b"))
        try file.write("two", at: 3)
        #expect(try files.open(path("d/b"), .read).text() == "onetwo", "both names are of one file")
        let before = try files.information(at: path("a"))
        #expect(try files.information(at: path("d/b")) == before)
        try files.remove(path("a"))
        #expect(try files.open(path("d/b"), .read).text() == "onetwo", "a name outlives the other")
        _ = try files.open(path("a"), .create)
        #expect(try files.open(path("d/b"), .read).text() == "onetwo")
        expect(.exists, path: path("a")) { try files.link(path("a"), to: path("d/b")) }
        expect(.notFound, path: path("x")) { try files.link(path("x"), to: path("y")) }
        expect(.notFound, path: path("a")) { try files.link(path("a"), to: path("none/y")) }
        #expect(throws: MachineError.self) { try files.link(path("d"), to: path("y")) }
        try files.synchronizeDirectory(path("d"))
    }

    private func removal() throws {
        let file = try files.open(path("a"), .create)
        try file.write("kept", at: 0)
        try files.remove(path("a"))
        try files.remove(path("a"))
        try files.remove(path("none/a"))
        #expect(try files.information(at: path("a")) == nil)
        #expect(try file.text() == "kept", "an open file outlives its name")
        _ = try files.open(path("a"), .create)
        #expect(try file.text() == "kept")
        try files.createDirectory(path("d/e"))
        _ = try files.open(path("d/e/f"), .create)
        try files.remove(path("d"))
        #expect(try files.contents(ofDirectory: directory) == ["a"])
    }

    private func synchronization() throws {
        let file = try files.open(path("a"), .create)
        try file.write("abc", at: 0)
        try file.synchronize()
        try file.synchronize()
        try files.synchronizeDirectory(directory)
        try files.synchronizeVolume(holding: path("a"))
        #expect(try file.text() == "abc")
        expect(.notFound) { try files.synchronizeDirectory(path("none")) }
        expect(.notFound) { try files.synchronizeDirectory(path("a")) }
        expect(.notFound) { try files.synchronizeVolume(holding: path("none")) }
    }

    private func locks() throws {
        let lock = try files.lock(path("lock"))
        expect(.locked, path: path("lock")) { _ = try files.lock(path("lock")) }
        #expect(try files.contents(ofDirectory: directory) == ["lock"])
        lock.unlock()
        lock.unlock()
        do {
            let second = try files.lock(path("lock"))
            lock.unlock()
            expect(.locked) { _ = try files.lock(path("lock")) }
            _ = second
        }
        try files.lock(path("lock")).unlock()
    }

    private func closing() throws {
        let file = try files.open(path("a"), .create)
        let map = try { () throws in
            try file.write("abc", at: 0)
            return try file.map(3)
        }()
        file.close()
        file.close()
        #expect(file.descriptor == nil)
        #expect(throws: MachineError.self) { try file.write("no", at: 0) }
        #expect(throws: MachineError.self) { try file.text(0..<3) }
        #expect(throws: MachineError.self) { try file.synchronize() }
        #expect(throws: MachineError.self) { try file.size() }
        #expect(Array(map.bytes) == Array("abc".utf8))
    }

    private func sizes() throws {
        let file = try files.open(path("a"), .create)
        try file.write("abc", at: 4)
        let information = try #require(try files.information(at: path("a")))
        #expect(!information.isDirectory && information.sizeBytes == 7)
        #expect(information.modifiedMilliseconds > 1_600_000_000_000)
        #expect(try files.information(at: path("a/below")) == nil)
        let capacity = try files.capacity(ofVolumeHolding: directory)
        #expect(capacity.totalBytes > 0 && capacity.availableBytes <= capacity.totalBytes)
        expect(.notFound) { _ = try files.capacity(ofVolumeHolding: path("none")) }
    }
}
