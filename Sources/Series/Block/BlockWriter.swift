import Bytes
public import View

/// Writes blocks: docs/formats/series-block.md.
///
/// Memory: the rows of one page, a piece of strings per column, the series of one measurement and a few numbers per
/// page; whatever the size of the block.
public enum BlockWriter {
    /// Writes one block with everything that the content gives, and syncs it.
    ///
    /// - Parameters:
    ///   - store: where it goes.
    ///   - details: what is known before; rows, series and times are counted here.
    ///   - content: the points. Fields that no point has and series without points are welcome.
    /// - Returns: the entry for the manifest; nil if there was no point, and then no block.
    /// - Throws: `ViewError`: the store's, or `.damaged` with the `SeriesError` of the content as its cause.
    public static func create<Content: BlockContent>(
        in store: any BlockStore, details: BlockDetails, content: inout Content
    ) throws(ViewError) -> BlockEntry? {
        var isEmpty = false
        do throws(ViewError) {
            return try store.create { sink throws(ViewError) in
                var block = BlockEncoder(details: details)
                while try advance(&block, &content) { try block.flush(sink) }
                isEmpty = block.details.rows == 0
                if isEmpty { throw ViewError(.closed, "no points") }
                block.finish()
                try block.flush(sink)
                return block.details.encoded()
            }
        } catch {
            if isEmpty { return nil }
            throw error
        }
    }

    /// Takes content until there is something to hand on.
    ///
    /// - Returns: false if there is no more.
    private static func advance<Content: BlockContent>(
        _ block: inout BlockEncoder, _ content: inout Content
    ) throws(ViewError) -> Bool {
        do throws(SeriesError) {
            while block.output.writer.count < 256 << 10 {
                if block.isInTable {
                    guard let batch = try content.nextBatch() else {
                        try block.endTable()
                        continue
                    }
                    try block.append(batch)
                } else {
                    guard let table = try content.nextTable() else { return false }
                    try block.begin(table)
                }
            }
            return true
        } catch {
            throw ViewError(error)
        }
    }
}

extension ViewError {
    /// The error of the series engine as the runner of views knows it.
    public init(_ error: SeriesError) {
        if let view = error.cause as? ViewError {
            self = view
            return
        }
        let code: Code =
            switch error.code {
            case .damaged: .damaged
            case .formatTooNew: .formatTooNew
            case .limitReached: .limitReached
            case .storage: .storage
            case .invalid: .damaged
            }
        self.init(code, error.message, cause: error)
    }
}

/// The bytes of one block, in order.
struct BlockEncoder: ~Copyable {
    private(set) var details: BlockDetails
    var output = BlockOutput()
    private var tables: [TableFooter] = []
    private var table: BlockTableContent?
    private var pages: PageBuilder?

    var isInTable: Bool { table != nil }

    init(details: BlockDetails) {
        self.details = details
        output.writer.write(BlockFormat.magic)
        output.writer.write(BlockFormat.version)
        output.writer.write(UInt16(0))
    }

    mutating func begin(_ content: BlockTableContent) throws(SeriesError) {
        if let last = tables.last, SeriesKey.compare(last.name, content.name) >= 0 {
            throw SeriesError(.invalid, "measurements out of order")
        }
        var footer = TableFooter(name: content.name, fields: content.fields, tagKeys: content.series.tagKeys)
        footer.pages.offset = output.position
        tables.append(footer)
        table = content
        pages = PageBuilder(content)
    }

    mutating func append(_ batch: PointBatch) throws(SeriesError) {
        try pages?.append(batch, to: &output)
    }

    /// Writes what remains of the measurement, its series and its index; forgets it if it has no rows.
    mutating func endTable() throws(SeriesError) {
        guard var builder = pages.take(), let table = table.take(), var footer = tables.popLast() else { return }
        builder.finish(&output)
        guard builder.index.pageCount > 0 else { return }
        footer.pages.count = output.position - footer.pages.offset
        footer.pageCount = builder.index.pageCount
        footer.rowCount = builder.index.rowCount
        footer.minimumTime = builder.index.minimumTime
        footer.maximumTime = builder.index.maximumTime
        footer.seriesCount = table.series.count
        details.add(rows: footer.rowCount, from: footer.minimumTime, through: footer.maximumTime)
        details.series += Int64(builder.present.count)

        var section = ByteWriter(capacity: 1 << 12)
        try SeriesSection.encode(table.series, present: builder.present, into: &section)
        footer.series = BlockRange(offset: output.position, count: section.count)
        footer.seriesChecksum = section.withUnsafeBytes { CRC32C.checksum($0) }
        section.withUnsafeBytes { output.writer.write(contentsOf: $0) }

        section.removeAll()
        builder.index.write(to: &section)
        footer.index = BlockRange(offset: output.position, count: section.count)
        footer.indexChecksum = section.withUnsafeBytes { CRC32C.checksum($0) }
        section.withUnsafeBytes { output.writer.write(contentsOf: $0) }
        tables.append(footer)
    }

    /// Writes the footer.
    mutating func finish() {
        var footer = ByteWriter()
        footer.writeBytes(details.encoded())
        footer.writeUnsignedVarint(UInt32(tables.count))
        for table in tables { table.write(to: &footer) }
        footer.withUnsafeBytes { output.writer.write(contentsOf: $0) }
        output.writer.write(UInt32(footer.count))
        output.writer.write(footer.withUnsafeBytes { CRC32C.checksum($0) })
        output.writer.write(BlockFormat.magic)
    }

    /// Hands on what was written.
    mutating func flush(_ sink: (UnsafeRawBufferPointer) throws(ViewError) -> Void) throws(ViewError) {
        try output.writer.withUnsafeBytes { bytes throws(ViewError) in try sink(bytes) }
        output.removeAll()
    }
}
