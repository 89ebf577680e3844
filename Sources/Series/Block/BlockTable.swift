import Bytes
import Synchronization
public import Telemetry

/// One measurement of a block.
public final class BlockTable: Sendable {
    let file: BlockFile
    let footer: TableFooter
    private let loadedSeries = Mutex<SeriesIndex?>(nil)
    private let loadedPages = Mutex<PageIndex?>(nil)

    init(_ file: BlockFile, _ footer: TableFooter) {
        self.file = file
        self.footer = footer
    }

    /// The measurement's name.
    public var measurement: [UInt8] { footer.name }
    /// The fields, sorted by the bytes of their names.
    public var fields: [(name: [UInt8], type: FieldType)] { footer.fields }
    /// The tag keys, sorted by their bytes.
    public var tagKeys: [[UInt8]] { footer.tagKeys }
    /// The number of series, some of which may have no rows; ordinals are below.
    public var seriesCount: Int { footer.seriesCount }
    /// The number of rows.
    public var rowCount: Int { footer.rowCount }
    /// From the earliest to the latest time.
    public var range: ClosedRange<Int64> { footer.minimumTime...max(footer.minimumTime, footer.maximumTime) }

    /// The name of the measurement for an error.
    func part(_ what: String) -> String { "\(what) of \(String(decoding: footer.name.prefix(64), as: UTF8.self))" }

    /// The series, verified at the first call.
    func series() throws(SeriesError) -> SeriesIndex {
        if let series = loadedSeries.withLock({ $0 }) { return series }
        let bytes = try file.verified(footer.series, footer.seriesChecksum, part("series"))
        do throws(BytesError) {
            let series = try SeriesIndex(bytes, footer)
            loadedSeries.withLock { $0 = series }
            return series
        } catch {
            throw file.damage(part("series"), at: footer.series.offset, error)
        }
    }

    /// The index of the pages, verified at the first call.
    func pages() throws(SeriesError) -> PageIndex {
        if let pages = loadedPages.withLock({ $0 }) { return pages }
        let bytes = try file.verified(footer.index, footer.indexChecksum, part("page index"))
        do throws(BytesError) {
            let pages = try PageIndex(bytes, footer)
            loadedPages.withLock { $0 = pages }
            return pages
        } catch {
            throw file.damage(part("page index"), at: footer.index.offset, error)
        }
    }

    /// The bytes of a part of the series section, which `series()` has verified.
    func bytes(_ range: BlockRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[range.offset..<range.offset + range.count])
    }

    func decoding<R>(_ what: String, at range: BlockRange, _ body: () throws(BytesError) -> R) throws(SeriesError) -> R
    {
        do throws(BytesError) { return try body() } catch { throw file.damage(part(what), at: range.offset, error) }
    }
}
