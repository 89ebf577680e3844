import MillraceTesting
import Query
import SimulatedMachine
import Testing

@Suite struct ParserTests {
    /// Texts with the errors that InfluxDB 1.6.7 has for them.
    @Test(arguments: [
        ("ALTER x", "found x, expected RETENTION at line 1, char 7"),
        ("SHOW FIELD x", "found x, expected KEY, KEYS at line 1, char 12"),
        ("SHOW TAG x", "found x, expected KEY, KEYS, VALUES at line 1, char 10"),
        ("SELECT", "found EOF, expected identifier, string, number, bool at line 1, char 8"),
        ("SELECT *", "found EOF, expected FROM at line 1, char 9"),
        ("SELECT value", "found EOF, expected FROM at line 1, char 14"),
        ("SELECT 1", "found EOF, expected FROM at line 1, char 9"),
        ("SELECT 'a' FROM", "found EOF, expected identifier at line 1, char 17"),
        ("SHOW DATABASES 'x'", "found x, expected ; at line 1, char 15"),
        ("SELECT v FROM cpu WHERE host =~ /a", "bad regex:  at line 1, char 32"),
        ("SELECT v FROM cpu WHERE a ! b", "found !, expected ; at line 1, char 27"),
        ("SELECT value FROM cpu ORDER BY value", "only ORDER BY time supported at this time"),
        ("SELECT value FROM cpu fill(a)", "expected number argument in fill()"),
        ("GRANT", "found EOF, expected READ, WRITE, ALL [PRIVILEGES] at line 1, char 7"),
        ("SHOW MEASUREMENT", "found EOF, expected EXACT, CARDINALITY at line 1, char 18"),
        ("CREATE DATABASE x WITH", "found EOF, expected DURATION, NAME, REPLICATION, SHARD at line 1, char 24"),
        ("SELECT value FROM a.b.c.d", "too many segments in \"a\".\"b\".\"c\".d at line 1, char 1"),
        ("SELECT value /* FROM", "found ILLEGAL, expected FROM at line 1, char 14"),
        (
            "SELECT a FROM b WHERE x = \"\\q\"",
            "found \\q, expected identifier, string, number, bool at line 1, char 29"
        ),
        ("SELECT a\nFROM b\nLIMIT x", "found x, expected integer at line 3, char 7"),
        (
            "SELECT a::foo FROM cpu",
            "found foo, expected float, integer, unsigned, string, boolean, field, tag at line 1, char 11"
        ),
        (
            "SELECT a = 1 FROM cpu",
            "invalid operator = in SELECT clause at line 1, char 8; operator is intended for WHERE clause"
        ),
    ])
    func failsInInfluxDBsWords(text: String, message: String) {
        var parser = Parser(text)
        #expect(throws: QueryError.self) { try parser.parse() }
        parser = Parser(text)
        do throws(QueryError) {
            _ = try parser.parse()
        } catch {
            #expect(error.message == message)
        }
    }

    static let statements = [
        "SELECT mean(value), max(\"a b\") AS x FROM db.rp.cpu WHERE host =~ /a\\/b/ AND (v > 1.5 OR v < -2) AND time > now() - 1h "
            + "GROUP BY time(1m, 5s), host, /x/ fill(previous) ORDER BY time DESC LIMIT 1 OFFSET 2 SLIMIT 3 SOFFSET 4 TZ('UTC')",
        "SELECT *::field, /x/, a + b * (c - 2) % 3, DISTINCT d, v::integer FROM /c.u/, (SELECT a FROM b)",
        "SELECT count(DISTINCT v) INTO db..:MEASUREMENT FROM cpu GROUP BY * fill(0)",
        "DELETE FROM cpu WHERE host = 'it\\'s'", "DROP SERIES FROM cpu, /m/ WHERE a != ''",
        "DROP MEASUREMENT \"select\"",
        "CREATE DATABASE x WITH DURATION 1w REPLICATION 1 SHARD DURATION 1d NAME y", "DROP DATABASE x",
        "CREATE RETENTION POLICY a ON b DURATION 1h REPLICATION 1 SHARD DURATION 1h DEFAULT",
        "ALTER RETENTION POLICY a ON b DURATION 0s DEFAULT", "DROP RETENTION POLICY a ON b", "SHOW DATABASES",
        "SHOW RETENTION POLICIES ON a", "SHOW MEASUREMENTS ON a WITH MEASUREMENT =~ /x/ WHERE a = 'b' LIMIT 1",
        "SHOW TAG KEYS FROM a WITH KEY IN (b, c) WHERE x = 'y' LIMIT 1 OFFSET 2",
        "SHOW TAG VALUES FROM a WITH KEY != b WHERE x !~ /y/", "SHOW FIELD KEYS FROM a", "SHOW SERIES FROM a LIMIT 9",
        "SHOW SERIES EXACT CARDINALITY ON a", "SHOW TAG VALUES CARDINALITY WITH KEY = a", "SHOW USERS",
        "EXPLAIN SELECT a FROM b", "KILL QUERY 5",
    ]

    @Test(arguments: statements) func printsWhatParsesToTheSameTree(text: String) throws {
        var parser = Parser(text)
        let statements = try parser.parse()
        let printed = statements.map { Printer.text($0) }.joined(separator: "; ")
        var second = Parser(printed)
        #expect(try second.parse() == statements, "\(printed)")
    }

    @Test func nestingIsBounded() {
        for text in [
            String(repeating: "(", count: 10_000), String(repeating: "-", count: 10_001) + "a",
            String(repeating: "- ", count: 10_001), String(repeating: "f(", count: 10_000),
            "a" + String(repeating: "+a", count: 10_000),
        ] {
            var parser = Parser("SELECT \(text) FROM b")
            #expect(throws: QueryError.self) { try parser.parse() }
        }
        var subqueries = Parser(String(repeating: "SELECT a FROM (", count: 10_000))
        #expect(throws: QueryError.self) { try subqueries.parse() }
        // A dashboard's list of hosts is long, and no nesting.
        var long = Parser("SELECT a FROM b WHERE h = 'x'" + String(repeating: " OR h = 'y'", count: 10_000))
        #expect(throws: Never.self) { try long.parse() }
    }

    /// Mutated statements parse or fail; what parses prints to the same tree.
    @Test(arguments: SimulationSeeds.chosen(1)) func survivesMutations(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("()'\"/\\*,.;:=~<>+-%$ \n\t0aZ_µ\0é".unicodeScalars)
        for _ in 0..<20_000 {
            var text = Array(Self.statements[Int.random(in: 0..<Self.statements.count, using: &random)].unicodeScalars)
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text.remove(at: place)
                case 1: text.insert(alphabet[Int.random(in: 0..<alphabet.count, using: &random)], at: place)
                default: text[place] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                }
                if text.isEmpty { break }
            }
            let mutated = String(String.UnicodeScalarView(text))
            var parser = Parser(mutated)
            guard let statements = try? parser.parse() else { continue }
            let printed = statements.map { Printer.text($0) }.joined(separator: "; ")
            var second = Parser(printed)
            let again = try? second.parse()
            guard !statements.contains(where: { if case .unserved = $0 { true } else { false } }) else { continue }
            #expect(again == statements, "\(mutated)\n\(printed)")
        }
    }
}
