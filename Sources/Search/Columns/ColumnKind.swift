/// How a column of texts is written: docs/formats/search-block.md, "Columns of texts".
enum ColumnKind: UInt8 {
    /// All rows have one text.
    case constant = 0
    /// Few distinct texts, and a code per row.
    case dictionary = 1
    /// Decimal integers without leading zeros.
    case integers = 2
    /// Digits with leading zeros.
    case digits = 3
    /// Texts of one length, with lower-case hexadecimal digits at the same places in all, and the same bytes elsewhere.
    case hexadecimal = 4
    /// Skeletons: literal pieces with slots in between; a column for each slot.
    case skeletons = 5
    /// The texts, compressed together.
    case plain = 6
    /// Decimal fractions with the same number of digits behind the point in all.
    case decimals = 7
}

/// Bounds of columns.
enum ColumnLimits {
    /// How deep columns of slots nest.
    static let depth = 3
    /// The most skeletons of a column; what fits none of them has a skeleton of one slot alone.
    static let skeletons = 256
    /// The most slots of a skeleton.
    static let slots = 200
    /// The most distinct texts of a dictionary.
    static let entries = 4_096
    /// The most distinct texts of a dictionary that stands in the head, with the number of rows of each.
    static let inlineEntries = 64
    /// The most bytes of texts of a dictionary that stands in the head.
    static let inlineBytes = 2_048
    /// The most nodes of a column, all in: what a reader takes memory for.
    static let nodes = 20_000
    /// The most bytes of the texts of a column, all in.
    static let bytes = 96 << 20
}
