import Ingest
import Instruments
import Log
import Logging
import Machine
import NIOCore
import Query
import Receivers
import Search
import Series
import ServeHTTP
import View

/// The views of the log and the way into them.
struct ServeViews: Sendable {
    let catalog: SeriesCatalog
    let tenants: SearchCatalog
    let views: Views
    let ingest: Ingest
    private let queries: InfluxQLService
    private let logs: LogQLService
    private let clock: any Clock
    private var receiver: LineReceiver?

    /// Opens all views. Before the log's threads start.
    init(
        _ log: CommitLog, _ settings: ServeSettings, _ machine: Machine, _ registry: InstrumentRegistry,
        _ logger: Logger
    ) async {
        clock = machine.clock
        catalog = SeriesCatalog()
        let series = SeriesViews(catalog: catalog) { view, reason in
            logger.error(
                "a block of a view cannot be read: queries that need it fail",
                metadata: ["view": "\(view)", "error": "\(reason)"])
        }
        series.register(in: registry)
        tenants = SearchCatalog()
        let search = SearchViews(catalog: tenants) { view, reason in
            logger.error(
                "a block of a view cannot be read: queries that need it fail",
                metadata: ["view": "\(view)", "error": "\(reason)"])
        }
        search.register(in: registry)
        views = Views(
            log: log, machine: machine, settings: settings.views, kinds: [.series: series, .search: search],
            report: { severity, view, message in
                logger.log(level: severity.level, "\(message)", metadata: view.isEmpty ? [:] : ["view": "\(view)"])
            })
        let views = views
        await offLoops { views.open() }
        views.register(in: registry)
        ingest = Ingest(
            log: log, views: views, settings: settings.ingest, clock: machine.clock, instruments: registry)
        let access = SeriesAccess(ingest: ingest, catalog: catalog)
        let slow = SlowQueryLog(logger)
        let running = RunningQueries(
            settings: settings.queries, clock: machine.clock, instruments: registry, slow: slow.log)
        queries = InfluxQLService(
            directory: access, administration: access, running: running, clock: machine.clock)
        logs = LogQLService(directory: tenants, running: running, clock: machine.clock)
    }

    /// Starts to apply, and to take lines, and to answer queries.
    mutating func start(
        _ services: HTTPServices, _ settings: ServeSettings, _ registry: InstrumentRegistry,
        _ eventLoops: any EventLoopGroup, _ logger: Logger
    ) async throws {
        views.start()
        await catchUp(logger)
        let figures = LineReceiver.Figures(registry)
        services.begin(ingest: ingest)
        services.begin(queries: queries)
        services.begin(logs: logs)
        settleLimits(logger)
        guard settings.takesDatagrams else { return }
        let (ingest, database) = (ingest, Array(settings.lineReceiverDatabase.utf8))
        do {
            receiver = try await LineReceiver.start(
                settings: settings.lineReceiver, figures: figures, eventLoops: eventLoops
            ) { lines in
                try? ingest.createDatabase(database)
                var request = WriteRequest(database: database)
                request.isAnswered = false
                // Nobody waits for the outcome: it is counted.
                _ = await ingest.write(request, lines)
            }
        } catch {
            let (host, port) = (settings.lineReceiver.host, settings.lineReceiver.port)
            throw ServeFailure.cannotListen("cannot listen on \(host):\(port) for lines in datagrams: \(error)")
        }
        guard let address = receiver?.address else { return }
        logger.info("taking lines in datagrams", metadata: ["udp": "\(ReadyLine.hostAndPort(address))"])
    }

    /// How long a start waits for the views, all together. A head of the default size takes about a second.
    private static let catchUpMilliseconds: Int64 = 60_000

    /// Waits until every view that runs has applied what the log held when this began: a query in the middle of a
    /// replay would find a part of the points, and a DELETE would overlook the series that are not there yet.
    private func catchUp(_ logger: Logger) async {
        let began = clock.monotonicNanoseconds()
        let views = views
        var behind = await offLoops { views.unapplied() }
        do {
            while behind.contains(where: { $0.end == nil }), left(since: began) > 0 {
                try await Task.sleep(for: .milliseconds(5))
                behind = await offLoops { views.unapplied() }
            }
            for view in behind {
                _ = try await views.wait(
                    for: view.topic, partition: view.partition, offset: (view.end ?? 1) - 1,
                    timeoutMilliseconds: max(1, left(since: began)))
            }
        } catch {
            let views = behind.map { "\($0.topic)-\($0.partition)" }.joined(separator: ",")
            logger.warning(
                "views are behind the log: queries find what they have applied",
                metadata: ["views": "\(views)", "error": "\(error)"])
        }
    }

    /// What is left of the time to catch up, in milliseconds.
    private func left(since began: UInt64) -> Int64 {
        Self.catchUpMilliseconds - Int64((clock.monotonicNanoseconds() - began) / 1_000_000)
    }

    /// Beside, not before: it waits until each database has applied it.
    private func settleLimits(_ logger: Logger) {
        Task { [ingest, catalog] in
            for failure in await ingest.settleLimits(of: catalog.all) {
                logger.warning("a database keeps other bounds than configured", metadata: ["detail": "\(failure)"])
            }
        }
    }

    /// Takes nothing any more, and stops applying. Before the log closes.
    func stop(_ services: HTTPServices) async {
        await receiver?.stop()
        services.end()
        let views = views
        await offLoops { views.stop() }
    }
}
