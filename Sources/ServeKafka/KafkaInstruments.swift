import Instruments
import KafkaWire

/// What the Kafka listener counts, shared by every event loop.
struct KafkaInstruments: Sendable {
    /// Why the broker closed a connection, or did not take it. Each is a label of one counter.
    enum CloseReason: String, CaseIterable, Sendable {
        /// A frame announced a size out of bounds.
        case frameSize = "frame-size"
        /// A frame did not complete in time.
        case frameTimeout = "frame-timeout"
        /// Nothing came, or nothing was read, for too long.
        case idle
        /// An API key that is not served.
        case unknownAPI = "unknown-api"
        /// A version of an API that is not served.
        case unknownVersion = "unknown-version"
        /// A request that does not parse.
        case malformed
        /// A produce request with `acks=0` failed, which only closing can tell.
        case unacknowledgedProduce = "unacknowledged-produce"
        /// More connections than allowed.
        case tooManyConnections = "too-many-connections"
        /// More partitions, or groups, in a request than allowed.
        case tooManyPartitions = "too-many-partitions"
        /// Records that a response had announced could not be read.
        case storage
        /// The socket failed.
        case socket
        /// The broker stopped before the connection had drained.
        case stopping
    }

    let registry: InstrumentRegistry
    let connections: Gauge
    let accepted: Counter
    let gatheredBytes: Gauge
    let waitingFetches: Gauge
    let fetchSessions: FetchSessionInstruments
    private let closed: [CloseReason: Counter]

    init(_ registry: InstrumentRegistry) {
        self.registry = registry
        connections = registry.gauge("millrace_kafka_connections", help: "Open connections of Kafka clients.")
        accepted = registry.counter(
            "millrace_kafka_connections_accepted_total", help: "Connections accepted from Kafka clients.")
        gatheredBytes = registry.gauge(
            "millrace_kafka_gathered_bytes", help: "Memory reserved for large requests that have arrived in part.")
        waitingFetches = registry.gauge("millrace_kafka_waiting_fetches", help: "Fetch requests that wait for data.")
        fetchSessions = FetchSessionInstruments(registry)
        closed = CloseReason.allCases.reduce(into: [:]) { counters, reason in
            counters[reason] = registry.counter(
                "millrace_kafka_connections_closed_total", help: "Connections that the broker closed, by reason.",
                labels: [Label("reason", reason.rawValue)])
        }
    }

    func countClose(_ reason: CloseReason) {
        closed[reason]?.add()
    }

    /// Counts an error; NONE is none.
    func countError(_ api: ServedAPI, _ code: ErrorCode) {
        if code != .none { countError(api, code.name) }
    }

    func countError(_ api: ServedAPI, _ name: String) {
        registry.counter(
            "millrace_kafka_errors_total", help: "Errors answered to Kafka clients, by API and Kafka's error name.",
            labels: [Label("api", api.name), Label("error", name)]
        ).add()
    }

    func countClient(name: String, version: String) {
        registry.counter(
            "millrace_kafka_client_software_total", help: "ApiVersions requests, by what the client says it is.",
            labels: [Label("name", name), Label("version", version)]
        ).add()
    }

    /// The bytes of a topic's batches that were fetched. What was appended, the log counts.
    func bytesOut(ofTopic name: String) -> Counter {
        registry.counter(
            Self.topicBytesOut, help: "Bytes of record batches fetched, by topic.", labels: [Label("topic", name)])
    }

    /// Stops rendering a topic that was deleted.
    func forgetTopic(_ name: String) {
        registry.remove(Self.topicBytesOut, with: Label("topic", name))
    }

    private static let topicBytesOut = "millrace_topic_bytes_out_total"
}

/// One event loop's own handles on what it updates per request: 1 to 3 ns each, without contention.
struct LoopInstruments {
    /// What a request spends its time on.
    fileprivate enum Phase: String {
        /// From the read that completed it to the start of its work.
        case queue
        /// Its work on the event loop, appends and reads included.
        case handle
        /// From the end of its work to the moment it could be answered: the sync, the long poll, another thread.
        case wait
        /// From then to the moment it was written, behind the responses that go first.
        case order
    }

    /// The handles of one API. A class, so that taking them out of the table is one retain and not five.
    final class API {
        let requests: CounterCell
        let queue: HistogramCell
        let handle: HistogramCell
        let wait: HistogramCell
        let order: HistogramCell

        fileprivate init(requests: CounterCell, phase: (Phase) -> HistogramCell) {
            self.requests = requests
            queue = phase(.queue)
            handle = phase(.handle)
            wait = phase(.wait)
            order = phase(.order)
        }
    }

    /// Connections that are not read on for one reason.
    struct Paused {
        let connections: GaugeCell
        let times: CounterCell
        let nanoseconds: CounterCell
    }

    let bytesIn: CounterCell
    let bytesOut: CounterCell
    /// Fetch requests that went on with a session.
    let incrementalFetches: CounterCell
    /// Requests that are taken and not answered.
    let inFlight: GaugeCell
    /// Those of them that wait for a sync.
    let waitingProduces: GaugeCell
    /// Those of them that other threads work on or answer.
    let elsewhere: GaugeCell
    /// Bytes of responses that sockets have not taken yet.
    let unsentBytes: GaugeCell
    /// How late the loop does what it does every second: how long a request waits before it is looked at.
    let delay: HistogramCell
    private let pauses: [ConnectionGauges.Pause: Paused]
    /// By API key.
    private let apis: [API?]

    init(_ registry: InstrumentRegistry) {
        bytesIn = registry.counter("millrace_kafka_bytes_in_total", help: "Bytes received from Kafka clients.").cell()
        bytesOut = registry.counter("millrace_kafka_bytes_out_total", help: "Bytes sent to Kafka clients.").cell()
        incrementalFetches = FetchSessionInstruments.incrementalFetches(registry).cell()
        inFlight = registry.gauge(
            "millrace_kafka_requests_in_flight", help: "Kafka requests that are taken and not answered yet."
        ).cell()
        waitingProduces = registry.gauge(
            "millrace_kafka_waiting_produces", help: "Produce requests that wait for a sync."
        ).cell()
        elsewhere = registry.gauge(
            "millrace_kafka_waiting_others",
            help: "Requests that another thread works on or answers: administration, rebalances, commits."
        ).cell()
        unsentBytes = registry.gauge(
            "millrace_kafka_unsent_bytes", help: "Bytes of responses that sockets have not taken yet."
        ).cell()
        delay = registry.histogram(
            "millrace_kafka_loop_delay_seconds", help: "How late event loops do what they do once a second."
        ).cell()
        pauses = ConnectionGauges.Pause.allCases.reduce(into: [:]) { $0[$1] = Self.paused(registry, $1) }
        let largestKey = ServedAPI.allCases.map(\.rawValue).max() ?? 0
        apis = (0...largestKey).map { key in ServedAPI(rawValue: key).map { Self.api(registry, $0) } }
    }

    subscript(api: ServedAPI) -> API {
        guard let handles = apis[Int(api.rawValue)] else { preconditionFailure("\(api) has no instruments") }
        return handles
    }

    subscript(pause: ConnectionGauges.Pause) -> Paused {
        guard let paused = pauses[pause] else { preconditionFailure("\(pause) has no instruments") }
        return paused
    }

    private static func paused(_ registry: InstrumentRegistry, _ reason: ConnectionGauges.Pause) -> Paused {
        let labels = [Label("bound", reason.rawValue)]
        return Paused(
            connections: registry.gauge(
                "millrace_kafka_connections_paused", help: "Connections that are not read on, by bound.", labels: labels
            ).cell(),
            times: registry.counter(
                "millrace_kafka_reading_paused_total", help: "Times that a connection was not read on, by bound.",
                labels: labels
            ).cell(),
            nanoseconds: registry.counter(
                "millrace_kafka_reading_paused_seconds_total",
                help: "Time for which connections were not read on, by bound.", countedPerRendered: 1e9, labels: labels
            ).cell())
    }

    private static func api(_ registry: InstrumentRegistry, _ api: ServedAPI) -> API {
        func phase(_ phase: Phase) -> HistogramCell {
            registry.histogram(
                "millrace_kafka_request_seconds", help: "Time of Kafka requests, by API and phase.",
                labels: [Label("api", api.name), Label("phase", phase.rawValue)]
            ).cell()
        }
        let requests = registry.counter(
            "millrace_kafka_requests_total", help: "Kafka requests, by API.", labels: [Label("api", api.name)])
        return API(requests: requests.cell(), phase: phase)
    }
}
