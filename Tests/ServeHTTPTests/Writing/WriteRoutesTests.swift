import Bytes
import Ingest
import Instruments
import Log
import Logging
import Machine
import MillraceTesting
import NIOCore
import NIOPosix
import Storage
import Synchronization
import Testing
import View

@testable import ServeHTTP

/// The routes that take lines, in front of a real log and a real view.
@Suite struct WriteRoutesTests {
    /// A server with the database `db`.
    private struct Site {
        let server: HTTPServer
        let engine: LineEngine
        let ingest: Ingest

        static func run(
            _ settings: IngestSettings = IngestSettings(), isReady: Bool = true, _ body: (Site) async throws -> Void
        ) async throws {
            let directory = try TemporaryDirectory("write")
            let (machine, engine, instruments) = (Machine.posix(), LineEngine(), InstrumentRegistry())
            let log = try CommitLog.open(
                directory: directory.path, settings: LogSettings(), machine: machine, metadata: InMemoryMetadataStore())
            let views = Views(
                log: log, machine: machine, settings: ViewSettings(), kinds: [.series: engine], report: { _, _, _ in })
            views.open()
            log.start()
            views.start()
            let ingest = Ingest(
                log: log, views: views, settings: settings, clock: machine.clock, instruments: instruments)
            try ingest.createDatabase(Array("db".utf8))
            let services = HTTPServices()
            if isReady { services.begin(ingest: ingest) }
            var http = HTTPServerSettings()
            http.port = 0
            let server = try await HTTPServer.start(
                settings: http, instruments: instruments, readiness: Readiness(notReady: "test"), services: services,
                eventLoops: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(Site(server: server, engine: engine, ingest: ingest)))
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
            _ method: String = "POST", _ target: String, _ body: [UInt8] = [], _ fields: [String] = [],
            length: Int? = nil
        ) async throws -> String {
            let socket = try await TestSocket.connect(to: server)
            let lines =
                ["\(method) \(target) HTTP/1.1", "Host: x", "Connection: close"]
                + (length == nil && body.isEmpty ? [] : ["Content-Length: \(length ?? body.count)"]) + fields
            socket.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
            socket.channel.writeAndFlush(ByteBuffer(bytes: body), promise: nil)
            return try await socket.end()
        }

        func write(_ target: String, _ body: String, _ fields: [String] = []) async throws -> String {
            try await send("POST", target, Array(body.utf8), fields)
        }
    }

    @Test func linesAreWritten() async throws {
        try await Site.run { site in
            let answer = try await site.write("/write?db=db&precision=s&rp=week&u=a&p=b", "cpu,a=b v=1 5\n")
            #expect(answer.hasPrefix("HTTP/1.1 204"))
            #expect(answer.contains("X-Influxdb-Version: 1.8.10\r\n") && answer.contains("\r\nRequest-Id: "))
            #expect(
                site.engine.fed.withLock { $0 }
                    == [.init(value: "cpu,a=b v=1 5\n", headers: ["rp": "week", "precision": "s"])])
            let second = try await site.write("/api/v2/write?bucket=db%2Fday&org=o&precision=ms", "cpu v=1 5")
            #expect(second.hasPrefix("HTTP/1.1 204"))
            #expect(site.engine.fed.withLock { $0.last?.headers } == ["rp": "day", "precision": "ms"])
            let third = try await site.write("/api/v3/write_lp?db=new", "cpu v=1 1700000000")
            #expect(third.hasPrefix("HTTP/1.1 204"))
            #expect(site.engine.fed.withLock { $0.last?.headers } == ["precision": "s"])
            #expect(site.ingest.databases.count == 2)
            #expect(try await site.write("/write?db=db", "").hasPrefix("HTTP/1.1 204"))
        }
    }

    @Test func refusalsAreToldInTheWordsOfEachVersion() async throws {
        try await Site.run { site in
            let expected: [(String, String, Int, String)] = [
                ("/write", "cpu v=1", 400, #"{"error":"database is required"}"#),
                ("/write?db=x", "cpu v=1", 404, #"{"error":"database not found: \"x\""}"#),
                ("/write?db=db&consistency=some", "", 400, #"{"error":"invalid consistency level"}"#),
                (
                    "/write?db=db&precision=y", "", 400,
                    #"{"error":"invalid precision \"y\" (use n, u, ms, s, m or h)"}"#
                ),
                ("/write?db=db", "bad", 400, #"{"error":"unable to parse 'bad': missing fields"}"#),
                (
                    "/write?db=db", "cpu v=1 1\nbad", 400,
                    #"{"error":"partial write: unable to parse 'bad': missing fields dropped=0"}"#
                ),
                ("/write?db=db", "no v=1 1", 400, #"{"error":"partial write: refused by the view dropped=1"}"#),
                ("/write?db=db&rp=nope", "no v=1 1", 500, #"{"error":"retention policy not found: nope"}"#),
                (
                    "/api/v2/write?bucket=x/y", "", 404,
                    #"{"code":"not found","message":"database not found: \"x\""}"#
                ),
                ("/api/v2/write", "", 400, #"{"code":"invalid","message":"bucket is required"}"#),
                (
                    "/api/v3/write_lp?db=db", "cpu v=1 1\nbad", 400,
                    #"{"error":"partial write of line protocol occurred","data":[{"original_line":"bad","line_number":2,"#
                        + #""error_message":"unable to parse 'bad': missing fields"}]}"#
                ),
                (
                    "/api/v3/write_lp?db=db&accept_partial=false", "cpu v=1 1\nbad", 400,
                    #"{"error":"parsing failed for write_lp endpoint","data":[{"original_line":"bad","line_number":2,"#
                        + #""error_message":"unable to parse 'bad': missing fields"}]}"#
                ),
            ]
            for (target, lines, status, body) in expected {
                let answer = try await site.write(target, lines)
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(target): \(answer)")
                #expect(answer.hasSuffix("\r\n\r\n\(body)\n"), "\(target): \(answer)")
                #expect(answer.contains("\r\nX-Influxdb-Error: "))
            }
        }
    }

    @Test func compressedLinesAreWritten() async throws {
        try await Site.run { site in
            let lines = (0..<1_000).map { "cpu,h=\($0) v=\($0) \($0)\n" }.joined()
            let packed = Self.gzip(Array(lines.utf8))
            let answer = try await site.send("POST", "/write?db=db", packed, ["Content-Encoding: gzip"])
            #expect(answer.hasPrefix("HTTP/1.1 204"))
            #expect(site.engine.fed.withLock { $0.map(\.value).joined() } == lines)
            // Two parts in one stream: the last four bytes tell of the second only.
            let twice = try await site.send(
                "POST", "/write?db=db", packed + Self.gzip(Array("cpu v=1 1".utf8)), ["Content-Encoding: gzip"])
            #expect(twice.hasPrefix("HTTP/1.1 204"))
            let broken = try await site.send("POST", "/write?db=db", Array("not gzip".utf8), ["Content-Encoding: gzip"])
            #expect(broken.hasPrefix("HTTP/1.1 400") && broken.contains(#"{"error":"gzip: "#))
            let cut = try await site.send("POST", "/write?db=db", packed.dropLast(9), ["Content-Encoding: gzip"])
            #expect(cut.hasPrefix("HTTP/1.1 400"))
            let other = try await site.send("POST", "/write?db=db", packed, ["Content-Encoding: br"])
            #expect(other.contains(#"{"error":"unsupported content encoding br"}"#))
        }
    }

    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        bytes.withUnsafeBytes { try? Compression.gzip.compress($0, into: &writer) }
        return writer.array()
    }

    @Test func whatIsTooLargeIsNotRead() async throws {
        try await Site.run { site in
            let announced = try await site.send("POST", "/write?db=db", [], length: 25_000_001)
            #expect(announced.hasPrefix("HTTP/1.1 413"))
            #expect(announced.hasSuffix("{\"error\":\"Request Entity Too Large\"}\n"))
            // 30 MB of one letter are 30 KB.
            let bomb = Self.gzip(Array(repeating: 97, count: 30_000_000))
            let answer = try await site.send("POST", "/api/v2/write?bucket=db", bomb, ["Content-Encoding: gzip"])
            #expect(answer.hasPrefix("HTTP/1.1 413") && answer.contains(#""code":"request too large""#))
        }
    }

    @Test func withoutRoomTheSenderIsAskedToWait() async throws {
        var settings = IngestSettings()
        settings.bytesInFlight = 10
        try await Site.run(settings) { site in
            let held = site.ingest.reserve(10, database: [1])
            let answer = try await site.write("/write?db=db", "cpu v=1 1")
            #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("\r\nRetry-After: 1\r\n"))
            withExtendedLifetime(held) {}
        }
    }

    @Test func beforeTheLogIsThereNothingIsTaken() async throws {
        try await Site.run(isReady: false) { site in
            let answer = try await site.write("/write?db=db", "cpu v=1 1")
            #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("\r\nRetry-After: 1\r\n"))
            #expect(try await site.send("GET", "/health").contains(#""status":"fail""#))
            #expect(try await site.send("GET", "/ping").hasPrefix("HTTP/1.1 204"))
            #expect(try await site.send("GET", "/views/wait?topic=x&offset=0").hasPrefix("HTTP/1.1 503"))
        }
    }

    @Test func pingAndHealthAnswer() async throws {
        try await Site.run { site in
            let ping = try await site.send("GET", "/ping", [], ["X-Request-Id: mine"])
            #expect(ping.hasPrefix("HTTP/1.1 204") && ping.contains("Request-Id: mine\r\n"))
            #expect(try await site.send("HEAD", "/ping").hasPrefix("HTTP/1.1 204"))
            #expect(try await site.send("GET", "/ping?verbose=true").hasSuffix("{\"version\":\"1.8.10\"}\n"))
            let health = try await site.send("GET", "/health")
            #expect(health.hasPrefix("HTTP/1.1 200") && health.contains(#""status":"pass""#))
        }
    }

    @Test func aViewCanBeWaitedFor() async throws {
        try await Site.run { site in
            _ = try await site.write("/write?db=db", "cpu v=1 1")
            let there = try await site.send("GET", "/views/wait?topic=metrics.db&offset=0")
            #expect(there.hasPrefix("HTTP/1.1 200"))
            #expect(there.hasSuffix("{\"topic\":\"metrics.db\",\"partition\":0,\"applied\":1}\n"))
            let late = try await site.send("GET", "/views/wait?topic=metrics.db&partition=0&offset=5&timeout=20")
            #expect(late.hasPrefix("HTTP/1.1 504"))
            #expect(try await site.send("GET", "/views/wait?topic=none&offset=0").hasPrefix("HTTP/1.1 404"))
            #expect(try await site.send("GET", "/views/wait?topic=metrics.db&offset=x").hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test func parametersAreDecoded() {
        let parameters = QueryParameters("db=a%20b+c%2Fd&x=&y&db=e&z=%zz%")
        #expect(parameters["db"] == "a b c/d" && parameters["x"] == nil && parameters["y"] == nil)
        #expect(parameters["z"] == "%zz%")
    }
}
