import Log
public import Series
import View

/// Why a change of databases failed.
public struct IngestError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The coarse reasons that callers decide by.
    public enum Code: Sendable, Equatable, CaseIterable {
        /// There is no such database.
        case databaseNotFound
        /// The name is empty or too long.
        case invalidName
        /// The bound on databases is reached.
        case limitReached
        /// Nothing takes changes now; the same again may succeed.
        case busy
        /// The device or the view failed.
        case failed
    }

    /// The coarse reason.
    public let code: Code
    /// What failed, for a person.
    public let message: String

    /// Assembles an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

extension Ingest {
    /// The names of all databases, sorted by their bytes.
    public var databases: [[UInt8]] {
        log.topics().filter { $0.configuration.view == .series }.map { TopicNaming.database(ofTopic: $0.name) }
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Creates a database, if there is none of this name.
    ///
    /// - Throws: `.invalidName`, `.limitReached`, `.busy`, `.failed`.
    public func createDatabase(_ name: [UInt8]) throws(IngestError) {
        guard topic(ofDatabase: name) == nil else { return }
        guard let topic = TopicNaming.topic(ofDatabase: name) else {
            throw IngestError(.invalidName, "a database's name has 1 to \(TopicNaming.maximumNameBytes) bytes")
        }
        guard databases.count < settings.maximumDatabases else {
            throw IngestError(.limitReached, "there are \(settings.maximumDatabases) databases, which is the bound")
        }
        do throws(LogError) {
            _ = try log.createTopic(
                topic, partitions: 1,
                configs: ["millrace.view": "series", "max.message.bytes": "\(settings.batchBytes)"])
        } catch {
            if error.code == .topicExists, self.topic(ofDatabase: name) != nil { return }
            throw IngestError(of: error)
        }
    }

    /// Deletes a database with all its points, if there is one of this name.
    ///
    /// - Throws: `.busy`, `.failed`.
    public func dropDatabase(_ name: [UInt8]) throws(IngestError) {
        guard let topic = topic(ofDatabase: name) else { return }
        do throws(LogError) {
            try log.deleteTopic(topic.id)
        } catch {
            if error.code == .unknownTopic { return }
            throw IngestError(of: error)
        }
    }

    /// Writes a command into the log of a database, and waits until it is applied everywhere.
    ///
    /// - Returns: what the engines refused, in words; empty if it was carried out.
    /// - Throws: `.databaseNotFound`, `.busy`, `.failed`.
    public func apply(_ command: SeriesCommand, to database: [UInt8]) async throws(IngestError) -> [String] {
        guard let topic = topic(ofDatabase: database) else {
            let name = String(decoding: database, as: UTF8.self)
            throw IngestError(.databaseNotFound, "database not found: \(name)")
        }
        do throws(ViewError) {
            let outcome = try await views.apply(
                command: CommandCodec.encode(command), to: topic, timeoutMilliseconds: settings.timeoutMilliseconds)
            return outcome.rejections.map(\.reason)
        } catch {
            throw IngestError(of: error)
        }
    }
}

extension IngestError {
    init(of error: LogError) {
        let code: Code =
            switch error.code {
            case .invalidTopicName, .invalidConfig: .invalidName
            case .limitReached: .limitReached
            case .noSpace, .overloaded, .closed: .busy
            default: .failed
            }
        self.init(code, error.message)
    }

    init(of error: ViewError) {
        let code: Code =
            switch error.code {
            case .noSpace, .holdFull, .limitReached, .timedOut, .closed, .conflict: .busy
            case .unknown: .databaseNotFound
            case .storage, .damaged, .formatTooNew: .failed
            }
        self.init(code, error.message)
    }
}
