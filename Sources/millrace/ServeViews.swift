import Ingest
import Instruments
import Log
import Logging
import Machine
import Series
import ServeHTTP
import View

/// The views of the log and the way into them.
struct ServeViews: Sendable {
    let catalog: SeriesCatalog
    let views: Views
    let ingest: Ingest

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
    }

    /// Starts to apply, and to take lines.
    func start(_ services: HTTPServices) {
        views.start()
        services.begin(ingest: ingest)
    }

    /// Takes nothing any more, and stops applying. Before the log closes.
    func stop(_ services: HTTPServices) async {
        services.end()
        let views = views
        await offLoops { views.stop() }
    }
}
