import Ingest
import Instruments
import Log
import Logging
import Machine
import Query
import Series
import ServeHTTP
import View

/// The views of the log and the way into them.
struct ServeViews: Sendable {
    let catalog: SeriesCatalog
    let views: Views
    let ingest: Ingest
    private let queries: InfluxQLService

    /// Opens all views. Before the log's threads start.
    init(
        _ log: CommitLog, _ settings: ServeSettings, _ machine: Machine, _ registry: InstrumentRegistry,
        _ logger: Logger
    ) async {
        catalog = SeriesCatalog()
        views = Views(
            log: log, machine: machine, settings: settings.views, kinds: [.series: SeriesViews(catalog: catalog)],
            report: { severity, view, message in
                logger.log(level: severity.level, "\(message)", metadata: view.isEmpty ? [:] : ["view": "\(view)"])
            })
        let views = views
        await offLoops { views.open() }
        views.register(in: registry)
        ingest = Ingest(
            log: log, views: views, settings: settings.ingest, clock: machine.clock, instruments: registry)
        let access = SeriesAccess(ingest: ingest, catalog: catalog)
        queries = InfluxQLService(directory: access, administration: access, clock: machine.clock)
    }

    /// Starts to apply, to take lines, and to answer queries.
    func start(_ services: HTTPServices) {
        views.start()
        services.begin(ingest: ingest)
        services.begin(queries: queries)
    }

    /// Takes nothing any more, and stops applying. Before the log closes.
    func stop(_ services: HTTPServices) async {
        services.end()
        let views = views
        await offLoops { views.stop() }
    }
}
