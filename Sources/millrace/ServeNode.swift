import Glibc
import Groups
import Instruments
import KafkaWire
import Log
import Logging
import Machine
import NIOCore
import NIOPosix
import ServeHTTP
import ServeKafka
import UnixSignals

/// The composition root: builds, starts in order, stops in reverse.
enum ServeNode {
    /// Serves until a signal stops it.
    ///
    /// - Parameter unknownVariables: what the environment has that looks like a setting and is none.
    /// - Throws: `ServeFailure` if it cannot start.
    static func run(
        _ configuration: Configuration, unknownVariables: [(name: String, nearest: String?)]
    ) async throws {
        let (machine, settings) = (Machine.posix(), configuration.settings)
        let (level, registry) = (LiveLogLevel(settings.logLevel), InstrumentRegistry())
        let lines = LoggedLines(registry)
        let logger = Logger(label: "millrace") { label in
            LineLogHandler(
                label: label, format: settings.logFormat, level: level, clock: machine.clock, lines: lines)
        }
        let figures = ProcessFigures(machine: machine, data: settings.data)
        let manager = ServiceManager(socketPath: environmentVariable("NOTIFY_SOCKET"))
        manager?.tell("STATUS=recovering the log")
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        checkFileLimit(settings, logger)
        for variable in unknownVariables {
            let nearest = variable.nearest.map { "did you mean \($0)?" } ?? "`millrace config --json` lists all"
            logger.warning(
                "unknown environment variable", metadata: ["variable": "\(variable.name)", "hint": "\(nearest)"])
        }
        registry.addCollector(figures.write)
        let (readiness, services) = (Readiness(notReady: "recovering the log"), HTTPServices())
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)

        let http = try await startHTTP(settings, registry, readiness, services, eventLoops, logger)
        let data = ServeData(settings: settings, machine: machine)
        let metadata = try await data.openMetadata()
        let running = try await data.openConfiguration(configuration, metadata, logger)
        let log = try await data.openLog(running.settings.log, metadata, logger)
        let logFigures = LogFigures(log: log)
        logFigures.register(in: registry)
        var views = await ServeViews(log, running.settings, machine, registry, logger)
        log.start()
        try await views.start(services, running.settings, registry, eventLoops, logger)
        let groups = await offLoops {
            let groups = GroupCoordinator(log: log, settings: running.settings.groups)
            groups.forgetUnknownTopics()
            return groups
        }
        GroupFigures(groups: groups, maximumLags: settings.metricsLagPartitions).register(in: registry)
        groups.start()
        let kafka = try await startKafka(running, log, groups, registry, machine, eventLoops, logger)
        running.begin(
            applying: { $0.apply(to: log, groups, kafka, level, logger) }, diskReserve: { log.diskReserveBytes })

        readiness.state = .ready
        let line = ReadyLine(kafka: kafka.address, http: http.address)
        try announce(line, settings, machine)
        manager?.tell("READY=1\nSTATUS=\(line.text)")
        tellReady(kafka.address, http.address, settings, figures, logger)

        // Beside, not before: with many partitions it takes a while.
        async let announced: Void = offLoops { logFigures.announceRetention(log.settings, logger) }
        await waitForStop(signals, machine.clock, logger)
        await announced
        manager?.tell("STOPPING=1\nSTATUS=stopping")
        readiness.state = .notReady("stopping")
        if let file = settings.readyFile { try? machine.files.remove(file) }
        // Before the listener: whoever waits for a rebalance is answered, or the connections would not drain.
        await offLoops { groups.stop() }
        await kafka.stop(within: settings.stopTimeoutSeconds * 1_000)
        await views.stop(services)
        await offLoops { log.close() }
        await http.stop()
        try? await eventLoops.shutdownGracefully()
        logger.info("stopped")
    }

    private static func tellReady(
        _ kafka: SocketAddress, _ http: SocketAddress, _ settings: ServeSettings, _ figures: ProcessFigures,
        _ logger: Logger
    ) {
        logger.info(
            "ready",
            metadata: [
                "kafka": "\(ReadyLine.hostAndPort(kafka))", "http": "\(ReadyLine.hostAndPort(http))",
                "data": "\(settings.data)", "version": "\(version)", "seconds": "\(figures.uptimeSeconds)",
            ])
    }

    /// Raises the limit of open files, and warns where the bounds allow more than it does.
    private static func checkFileLimit(_ settings: ServeSettings, _ logger: Logger) {
        let limit = raiseFileLimit()
        guard limit < settings.mostOpenFiles else { return logger.debug("open files", metadata: ["limit": "\(limit)"]) }
        logger.warning(
            "the limit of open files is below what the bounds allow",
            metadata: [
                "limit": "\(limit)", "bounds": "\(settings.mostOpenFiles)",
                "hint": "raise it (ulimit -Hn, or LimitNOFILE= in systemd), or lower --max-connections",
            ])
    }

    private static func startHTTP(
        _ settings: ServeSettings, _ registry: InstrumentRegistry, _ readiness: Readiness, _ services: HTTPServices,
        _ eventLoops: any EventLoopGroup, _ logger: Logger
    ) async throws -> HTTPServer {
        do {
            return try await HTTPServer.start(
                settings: settings.http, instruments: registry, readiness: readiness, services: services,
                eventLoops: eventLoops, logger: logger)
        } catch {
            throw cannotListen("HTTP", "http-listen", settings.http.host, settings.http.port, error)
        }
    }

    private static func startKafka(
        _ running: RunningConfiguration, _ log: CommitLog, _ groups: GroupCoordinator, _ registry: InstrumentRegistry,
        _ machine: Machine, _ eventLoops: any EventLoopGroup, _ logger: Logger
    ) async throws -> KafkaServer {
        let settings = running.settings
        do {
            return try await KafkaServer.start(
                settings: settings.kafka, log: log, groups: groups, configuration: running, instruments: registry,
                machine: machine, eventLoops: eventLoops, logger: logger)
        } catch {
            await offLoops {
                groups.stop()
                log.close()
            }
            throw cannotListen("Kafka", "kafka-listen", settings.kafka.host, settings.kafka.port, error)
        }
    }

    private static func announce(_ line: ReadyLine, _ settings: ServeSettings, _ machine: Machine) throws {
        do {
            if let file = settings.readyFile { try line.write(to: file, machine.files) }
        } catch {
            throw ServeFailure.cannotOpen("cannot write the ready file: \(error)")
        }
        line.print()
    }

    /// Waits for the first signal; the second ends the process at once, with the status that a shell expects.
    private static func waitForStop(
        _ signals: UnixSignalsSequence, _ clock: any Clock, _ logger: Logger
    ) async {
        let iterator = signals.makeAsyncIterator()
        let first = await nextSignal(iterator)
        logger.info("stopping", metadata: ["signal": "\(first.map { "\($0)" } ?? "none")"])
        Task {
            var meaning = SignalMeaning()
            _ = meaning.of(signalAt: clock.monotonicNanoseconds())
            while await nextSignal(iterator) != nil {
                if meaning.of(signalAt: clock.monotonicNanoseconds()) == .second { _exit(130) }
            }
        }
    }

    private static func nextSignal(_ iterator: UnixSignalsSequence.AsyncIterator) async -> UnixSignal? {
        var iterator = iterator
        return await iterator.next()
    }

    private static func cannotListen(
        _ what: String, _ option: String, _ host: String, _ port: Int, _ error: any Error
    ) -> ServeFailure {
        guard let error = error as? IOError, error.errnoCode == EADDRINUSE else {
            return .cannotListen("cannot listen on \(host):\(port) for \(what): \(error)")
        }
        return .cannotListen(
            """
            cannot listen on \(host):\(port) for \(what): the port is in use. Stop what uses it (ss -ltnp 'sport = \
            :\(port)' names it), or choose another with --\(option) HOST:PORT; port 0 takes a free one
            """)
    }
}
