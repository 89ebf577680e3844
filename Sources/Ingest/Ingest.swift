public import Instruments
import KafkaWire
public import Log
public import Machine
public import View

/// The way of lines into databases: checked, appended to the database's topic, synced, applied by the view.
///
/// Any thread may call anything.
public final class Ingest: Sendable {
    /// The log.
    public let log: CommitLog
    /// The views that apply what is written.
    public let views: Views
    /// The bounds.
    public let settings: IngestSettings
    let clock: any Clock
    let budget: WriteBudget
    let figures: IngestFigures
    let lineFigures: LineFigures

    /// The way into the databases of a log.
    public init(
        log: CommitLog, views: Views, settings: IngestSettings, clock: any Clock, instruments: InstrumentRegistry
    ) {
        self.log = log
        self.views = views
        self.settings = settings
        self.clock = clock
        budget = WriteBudget(limit: settings.bytesInFlight, databaseLimit: settings.databaseBytesInFlight)
        figures = IngestFigures(instruments, budget)
        lineFigures = LineFigures(instruments)
    }

    /// The topic of a database; nil if there is none.
    public func topic(ofDatabase name: [UInt8]) -> Topic? {
        if let topic = TopicNaming.topic(ofDatabase: name).flatMap(log.topic(named:)),
            topic.configuration.view == .series
        {
            return topic
        }
        // A topic of another name can be a database too.
        guard let topic = log.topic(named: String(decoding: name, as: UTF8.self)),
            topic.configuration.view == .series, TopicNaming.database(ofTopic: topic.name) == name
        else { return nil }
        return topic
    }

    /// Room for the bytes of a request for a database; nil if there is none, and the sender is to try again later.
    public func reserve(_ byteCount: Int, database: [UInt8]) -> WriteReservation? {
        guard budget.take(byteCount, for: database) else {
            figures.count(.busy)
            return nil
        }
        return WriteReservation(budget: budget, database: database, byteCount: byteCount)
    }
}

/// Room that a request takes among all that are being written. It is given back when nothing refers to this any more.
public final class WriteReservation: Sendable {
    private let budget: WriteBudget
    private let database: [UInt8]
    private let byteCount: Int

    init(budget: WriteBudget, database: [UInt8], byteCount: Int) {
        self.budget = budget
        self.database = database
        self.byteCount = byteCount
    }

    deinit { budget.giveBack(byteCount, for: database) }
}
