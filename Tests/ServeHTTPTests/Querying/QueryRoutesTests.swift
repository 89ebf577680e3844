import Ingest
import Instruments
import Log
import Logging
import Machine
import MillraceTesting
import NIOCore
import NIOPosix
import Query
import Series
import Storage
import Testing
import View

@testable import ServeHTTP

/// `/query` in front of a real log, a real view and real series.
@Suite struct QueryRoutesTests {
    private struct Site {
        let server: HTTPServer

        static func run(_ limits: QueryLimits = QueryLimits(), _ body: (Site) async throws -> Void) async throws {
            let directory = try TemporaryDirectory("query")
            let (machine, instruments, catalog) = (Machine.posix(), InstrumentRegistry(), SeriesCatalog())
            let log = try CommitLog.open(
                directory: directory.path, settings: LogSettings(), machine: machine, metadata: InMemoryMetadataStore())
            let views = Views(
                log: log, machine: machine, settings: ViewSettings(), kinds: [.series: SeriesViews(catalog: catalog)],
                report: { _, _, _ in })
            views.open()
            log.start()
            views.start()
            let ingest = Ingest(
                log: log, views: views, settings: IngestSettings(), clock: machine.clock, instruments: instruments)
            var settings = QuerySettings()
            settings.limits = limits
            let access = SeriesAccess(ingest: ingest, catalog: catalog)
            let services = HTTPServices()
            services.begin(ingest: ingest)
            services.begin(
                queries: InfluxQLService(
                    directory: access, administration: access,
                    running: RunningQueries(settings: settings, clock: machine.clock), clock: machine.clock))
            var http = HTTPServerSettings()
            http.port = 0
            let server = try await HTTPServer.start(
                settings: http, instruments: instruments, readiness: Readiness(notReady: "test"), services: services,
                eventLoops: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(Site(server: server)))
            } catch {
                result = .failure(error)
            }
            await server.stop()
            views.stop()
            log.close()
            try result.get()
        }

        /// Sends a request and returns the whole answer.
        func send(
            _ method: String, _ target: String, _ body: String = "", _ fields: [String] = []
        ) async throws -> String {
            let socket = try await TestSocket.connect(to: server)
            let lines =
                ["\(method) \(target) HTTP/1.1", "Host: x", "Connection: close"]
                + (body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]) + fields
            socket.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
            return try await socket.end()
        }
    }

    private static let form = ["Content-Type: application/x-www-form-urlencoded"]

    @Test func whatIsWrittenIsFound() async throws {
        try await Site.run { site in
            let created = try await site.send("POST", "/query", "q=CREATE+DATABASE+db", Self.form)
            #expect(created.hasPrefix("HTTP/1.1 200 "))
            #expect(created.contains("{\"results\":[{\"statement_id\":0}]}\n"))
            #expect(try await site.send("POST", "/write?db=db", "cpu,h=a v=1 5\n").hasPrefix("HTTP/1.1 204 "))
            let found = try await site.send("GET", "/query?db=db&epoch=ns&q=SELECT+*+FROM+cpu")
            #expect(found.contains("X-Influxdb-Version: "))
            #expect(found.contains("\"columns\":[\"time\",\"h\",\"v\"],\"values\":[[5,\"a\",1]]"))
            let csv = try await site.send(
                "GET", "/query?db=db&q=SELECT%20v%20FROM%20cpu", "", ["Accept: application/csv"])
            #expect(csv.contains("Content-Type: text/csv"))
            #expect(csv.contains("name,tags,time,v\ncpu,,5,1\n"))
            let packed = try await site.send("GET", "/query?q=SHOW%20DATABASES", "", ["Accept-Encoding: gzip"])
            #expect(packed.contains("Content-Encoding: gzip"))
            #expect(try await site.send("POST", "/query?q=DROP%20DATABASE%20db").contains("statement_id\":0}"))
            #expect(try await site.send("GET", "/query?q=SHOW%20DATABASES").contains("\"columns\":[\"name\"]}"))
        }
    }

    @Test func whatCannotBeParsedIsRefused() async throws {
        try await Site.run { site in
            let empty = try await site.send("GET", "/query")
            #expect(empty.hasPrefix("HTTP/1.1 400 "))
            #expect(empty.contains("{\"error\":\"missing required parameter \\\"q\\\"\"}\n"))
            let wrong = try await site.send("GET", "/query?q=SELEC")
            #expect(wrong.contains("X-Influxdb-Error: error parsing query: found SELEC, expected SELECT"))
        }
    }

    @Test func aServerThatStartsAsksToWait() async throws {
        var http = HTTPServerSettings()
        http.port = 0
        let server = try await HTTPServer.start(
            settings: http, instruments: InstrumentRegistry(), readiness: Readiness(notReady: "test"),
            services: HTTPServices(), eventLoops: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
        let answer = try await Site(server: server).send("GET", "/query?q=SHOW%20DATABASES")
        await server.stop()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("Retry-After: 1"))
    }

    @Test func piecesWaitForTheirReader() async throws {
        let pieces = AnswerPieces()
        let writing = Task {
            for number in 0..<100 { try await pieces.put([UInt8(number)]) }
            pieces.finish()
        }
        var read: [UInt8] = []
        while true {
            let taken = await pieces.take(atLeast: 7)
            read += taken.bytes
            if taken.isWhole { break }
        }
        #expect(read == (0..<100).map { UInt8($0) })
        try await writing.value
        let (closed, waiting) = (AnswerPieces(), AnswerPieces())
        closed.close()
        await #expect(throws: QueryError.self) { try await closed.put([1]) }
        let much = [UInt8](repeating: 1, count: AnswerPieces.firstBytes)
        let blocked = Task { try await waiting.put(much) }
        var reader: AnswerReader? = AnswerReader(pieces: waiting, running: Task {})
        while reader != nil {
            await Task.yield()
            reader = nil
        }
        await #expect(throws: QueryError.self) { try await blocked.value }
    }
}
