/// Reads the fields of lines as Loki's `| json` and `| logfmt` see them. It keeps its memory from line to line, so
/// nothing is allocated per line; a reader belongs to one thread.
///
/// Names are label names (docs/logql.md tells how others become such). A field may come twice: then the first counts.
/// Pointers are valid until the reader is used again.
public final class FieldReader {
    /// The deepest nesting of JSON objects that is looked into; what is deeper is left out, as arrays are. Without a
    /// bound a line of brackets would take time with the square of its length.
    public static let maximumDepth = 64

    var name = FieldScratch()
    var value = FieldScratch()
    var key = FieldScratch()

    /// A reader.
    public init() {}

    /// Gives every field's name and value, in their order, until `body` says false.
    ///
    /// - Parameters:
    ///   - keepsEmpty: for logfmt: whether fields without a value are given.
    ///   - isStrict: for logfmt: whether to end at the first fault; otherwise what is malformed is passed over, and no
    ///     failure is returned. JSON always ends at the first.
    /// - Returns: the fault at which reading ended.
    @discardableResult
    public func visit(
        _ format: FieldFormat, _ line: UnsafeRawBufferPointer, keepsEmpty: Bool = false, isStrict: Bool = false,
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) -> FieldFailure? {
        switch format {
        case .json:
            name.truncate(to: 0)
            do throws(FieldFailure) {
                _ = try visitObject(line, depth: 1, body)
                return nil
            } catch {
                return error
            }
        case .logfmt: return visitPairs(line, keepsEmpty: keepsEmpty, isStrict: isStrict, body)
        }
    }

    /// The value of one field; nil if the line does not have it. The first of several counts.
    ///
    /// - Parameter failure: the fault at which reading ended, if any; what stood in front of it counts.
    public func find(
        _ field: UnsafeRawBufferPointer, _ format: FieldFormat, _ line: UnsafeRawBufferPointer,
        failure: inout FieldFailure?
    ) -> UnsafeRawBufferPointer? {
        switch format {
        case .json: return findInObject(field, line, &failure)
        case .logfmt: return findInPairs(field, line)
        }
    }
}
