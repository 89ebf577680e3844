/// A word with a meaning of its own; any case.
enum Keyword: String, CaseIterable, Sendable {
    case all = "ALL"
    case alter = "ALTER"
    case analyze = "ANALYZE"
    case any = "ANY"
    case `as` = "AS"
    case asc = "ASC"
    case begin = "BEGIN"
    case by = "BY"
    case cardinality = "CARDINALITY"
    case create = "CREATE"
    case continuous = "CONTINUOUS"
    case database = "DATABASE"
    case databases = "DATABASES"
    case `default` = "DEFAULT"
    case delete = "DELETE"
    case desc = "DESC"
    case destinations = "DESTINATIONS"
    case diagnostics = "DIAGNOSTICS"
    case distinct = "DISTINCT"
    case drop = "DROP"
    case duration = "DURATION"
    case end = "END"
    case every = "EVERY"
    case exact = "EXACT"
    case explain = "EXPLAIN"
    case field = "FIELD"
    case `for` = "FOR"
    case from = "FROM"
    case grant = "GRANT"
    case grants = "GRANTS"
    case group = "GROUP"
    case groups = "GROUPS"
    case `in` = "IN"
    case inf = "INF"
    case insert = "INSERT"
    case into = "INTO"
    case key = "KEY"
    case keys = "KEYS"
    case kill = "KILL"
    case limit = "LIMIT"
    case measurement = "MEASUREMENT"
    case measurements = "MEASUREMENTS"
    case name = "NAME"
    case offset = "OFFSET"
    case on = "ON"
    case order = "ORDER"
    case password = "PASSWORD"
    case policy = "POLICY"
    case policies = "POLICIES"
    case privileges = "PRIVILEGES"
    case queries = "QUERIES"
    case query = "QUERY"
    case read = "READ"
    case replication = "REPLICATION"
    case resample = "RESAMPLE"
    case retention = "RETENTION"
    case revoke = "REVOKE"
    case select = "SELECT"
    case series = "SERIES"
    case set = "SET"
    case shard = "SHARD"
    case shards = "SHARDS"
    case show = "SHOW"
    case slimit = "SLIMIT"
    case soffset = "SOFFSET"
    case stats = "STATS"
    case subscription = "SUBSCRIPTION"
    case subscriptions = "SUBSCRIPTIONS"
    case tag = "TAG"
    case to = "TO"
    case user = "USER"
    case users = "USERS"
    case values = "VALUES"
    case `where` = "WHERE"
    case with = "WITH"
    case write = "WRITE"
}

/// An operator between two expressions.
public enum Operator: String, Sendable, Equatable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case bitwiseAnd = "&"
    case bitwiseOr = "|"
    case bitwiseXor = "^"
    case and = "AND"
    case or = "OR"
    case equal = "="
    case notEqual = "!="
    case matches = "=~"
    case matchesNot = "!~"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// How strongly it binds: 1 (OR) to 5.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and: 2
        case .equal, .notEqual, .matches, .matchesNot, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
        case .add, .subtract, .bitwiseOr, .bitwiseXor: 4
        case .multiply, .divide, .modulo, .bitwiseAnd: 5
        }
    }

    /// Whether it compares two values.
    var isComparison: Bool { precedence == 3 }
    /// Whether it computes a number.
    var isArithmetic: Bool { precedence >= 4 }
}

/// What kind of token.
enum TokenKind: Equatable, Sendable {
    case illegal, end, whitespace, comment
    case identifier, boundParameter, number, integer, duration, string, badString, badEscape, regex, badRegex
    case `true`, `false`
    case operation(Operator)
    case openParenthesis, closeParenthesis, comma, colon, doubleColon, semicolon, dot
    case keyword(Keyword)

    /// What an error calls a token that has no literal.
    var text: String {
        switch self {
        case .illegal: "ILLEGAL"
        case .end: "EOF"
        case .whitespace: "WS"
        case .comment: "COMMENT"
        case .identifier: "IDENT"
        case .boundParameter: "BOUNDPARAM"
        case .number: "NUMBER"
        case .integer: "INTEGER"
        case .duration: "DURATIONVAL"
        case .string: "STRING"
        case .badString: "BADSTRING"
        case .badEscape: "BADESCAPE"
        case .regex: "REGEX"
        case .badRegex: "BADREGEX"
        case .true: "TRUE"
        case .false: "FALSE"
        case .operation(let operation): operation.rawValue
        case .openParenthesis: "("
        case .closeParenthesis: ")"
        case .comma: ","
        case .colon: ":"
        case .doubleColon: "::"
        case .semicolon: ";"
        case .dot: "."
        case .keyword(let keyword): keyword.rawValue
        }
    }
}

/// A place in a query's text, counted from 0 in characters.
struct TextPosition: Equatable, Sendable {
    var line = 0
    var column = 0

    /// As errors tell it.
    var text: String { "line \(line + 1), char \(column + 1)" }
}

/// A token.
struct Token: Equatable, Sendable {
    var kind: TokenKind
    var position: TextPosition
    /// The text of names, numbers and strings, unescaped; otherwise empty.
    var literal = ""

    /// What an error says was found.
    var found: String { literal.isEmpty ? kind.text : literal }
}
