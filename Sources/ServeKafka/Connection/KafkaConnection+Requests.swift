import Bytes
import Instruments
import KafkaWire
import Log
import NIOCore
import NIOPosix

extension KafkaConnection {
    /// What became of a request when its handler returns.
    enum Outcome {
        /// It is answered.
        case answered(Response.Body)
        /// It is answered with the group that it has joined, by `commitGroup`.
        case grouped
        /// It is answered later, by `answer`. Further requests are taken up meanwhile.
        case waiting
        /// It gets no answer (`acks=0`).
        case silent
        /// It may wait for the disk: another thread works on it, and no further request is taken up before.
        case offloaded(@Sendable () -> Response.Body)
        /// Only closing the connection answers it.
        case closed(KafkaInstruments.CloseReason, String)
    }

    /// Handles one frame.
    ///
    /// - Returns: when that was done.
    func handle(_ frame: ByteBuffer, readAt: UInt64, startedAt: UInt64) -> UInt64 {
        frame.withUnsafeReadableBytes { bytes in
            var reader = ByteReader(bytes)
            do throws(WireError) {
                let header = try RequestHeader(decoding: &reader)
                return try handle(header, &reader, readAt: readAt, startedAt: startedAt)
            } catch {
                close(.malformed, "\(error)")
                return startedAt
            }
        }
    }

    /// Answers a request that waited.
    func answer(_ ticket: Ticket, _ stamp: RequestStamp, _ body: Response.Body) {
        let now = loop.now()
        loop.instruments[stamp.api].wait.record(now &- min(now, stamp.handledAt))
        responses.answer(ticket, Response(stamp: stamp, body: body, readyAt: now))
    }

    /// Work that another thread did is done.
    func offloadedWorkIsDone(_ ticket: Ticket, _ body: Response.Body) {
        guard let stamp = offloaded.removeValue(forKey: ticket) else { return }
        answer(ticket, stamp, body)
    }

    private func handle(
        _ header: RequestHeader, _ reader: inout ByteReader, readAt: UInt64, startedAt: UInt64
    ) throws(WireError) -> UInt64 {
        guard let api = ServedAPI(rawValue: header.apiKey) else {
            close(.unknownAPI, "API key \(header.apiKey), version \(header.apiVersion)")
            return startedAt
        }
        guard api == .apiVersions || api.versions.contains(header.apiVersion) else {
            close(.unknownVersion, "\(api.name) version \(header.apiVersion)")
            return startedAt
        }
        let handles = loop.instruments[api]
        handles.requests.add()
        handles.queue.record(startedAt &- min(startedAt, readAt))
        let stamp = RequestStamp(api: api, version: header.apiVersion, correlationID: header.correlationId)
        if api != .produce { commitGroup() }
        let ticket = responses.admit()
        let outcome = try perform(header, stamp, ticket, &reader)
        let now = loop.now()
        handles.handle.record(now &- min(now, startedAt))
        switch outcome {
        case .answered(let body):
            let response = Response(stamp: stamp, body: body, readyAt: now)
            if responses.isNext(ticket) {
                handles.order.record(0)
                outbound.append(response, sharing: &loop.writer)
                responses.answer(ticket, nil)
            } else {
                responses.answer(ticket, response)
            }
        case .grouped: grouped[grouped.count - 1].stamp.handledAt = now
        case .waiting: break
        case .silent: responses.answer(ticket, nil)
        case .offloaded(let work): offload(ticket, stamp.handled(at: now), work)
        case .closed(let reason, let detail): close(reason, detail)
        }
        return now
    }

    private func perform(
        _ header: RequestHeader, _ stamp: RequestStamp, _ ticket: Ticket, _ reader: inout ByteReader
    ) throws(WireError) -> Outcome {
        let version = stamp.version
        switch stamp.api {
        case .produce:
            return version < ProduceRequest.versions.lowerBound
                ? try refuseOldProduce(&reader, version: version)
                : try produce(ProduceRequest(decoding: &reader, version: version), stamp, ticket, reader)
        case .fetch: return fetch(try FetchRequest(decoding: &reader, version: version), stamp, ticket)
        case .listOffsets: return listOffsets(try ListOffsetsRequest(decoding: &reader, version: version))
        case .metadata: return metadata(try MetadataRequest(decoding: &reader, version: version), version: version)
        case .findCoordinator:
            return findCoordinator(try FindCoordinatorRequest(decoding: &reader, version: version), version: version)
        case .apiVersions: return try apiVersions(&reader, version: version)
        case .createTopics: return createTopics(try CreateTopicsRequest(decoding: &reader, version: version))
        case .deleteTopics:
            return deleteTopics(try DeleteTopicsRequest(decoding: &reader, version: version), version: version)
        case .initProducerId: return initProducerId(try InitProducerIdRequest(decoding: &reader, version: version))
        case .describeCluster:
            let request = try DescribeClusterRequest(decoding: &reader, version: version)
            return .answered(.other(broker.describeCluster(request, addresses)))
        case .describeTopicPartitions:
            let request = try DescribeTopicPartitionsRequest(decoding: &reader, version: version)
            return .answered(.other(broker.describeTopicPartitions(request)))
        case .deleteRecords, .offsetForLeaderEpoch, .describeConfigs, .alterConfigs, .describeLogDirs,
            .createPartitions, .incrementalAlterConfigs, .describeProducers:
            return try administer(stamp, &reader)
        case .offsetCommit, .offsetFetch, .joinGroup, .heartbeat, .leaveGroup, .syncGroup, .describeGroups,
            .listGroups, .deleteGroups, .offsetDelete:
            return try performForGroup(header, stamp, ticket, &reader)
        }
    }

    private func performForGroup(
        _ header: RequestHeader, _ stamp: RequestStamp, _ ticket: Ticket, _ reader: inout ByteReader
    ) throws(WireError) -> Outcome {
        let version = stamp.version
        switch stamp.api {
        case .offsetCommit:
            return offsetCommit(try OffsetCommitRequest(decoding: &reader, version: version), stamp, ticket)
        case .offsetFetch:
            return offsetFetch(try OffsetFetchRequest(decoding: &reader, version: version), version: version)
        case .joinGroup:
            let request = try JoinGroupRequest(decoding: &reader, version: version)
            return joinGroup(request, clientID: header.clientId, stamp, ticket)
        case .heartbeat:
            let request = try HeartbeatRequest(decoding: &reader, version: version)
            return .answered(.other(broker.heartbeat(request)))
        case .leaveGroup:
            return leaveGroup(try LeaveGroupRequest(decoding: &reader, version: version), version: version)
        case .syncGroup:
            return syncGroup(try SyncGroupRequest(decoding: &reader, version: version), stamp, ticket)
        case .describeGroups:
            return describeGroups(try DescribeGroupsRequest(decoding: &reader, version: version), version: version)
        case .listGroups: return listGroups(try ListGroupsRequest(decoding: &reader, version: version))
        case .deleteGroups:
            return deleteGroups(try DeleteGroupsRequest(decoding: &reader, version: version), stamp, ticket)
        case .offsetDelete:
            return offsetDelete(try OffsetDeleteRequest(decoding: &reader, version: version), stamp, ticket)
        default: preconditionFailure("\(stamp.api) is no group's")
        }
    }

    /// Leaves a request to whoever `work` hands the answer to: it is given once, from any thread, perhaps before `work`
    /// returns. If the connection is gone by then, nothing is left of the request.
    func answerLater(
        _ stamp: RequestStamp, _ ticket: Ticket, _ work: (@escaping @Sendable (any KafkaResponse) -> Void) -> Void
    ) -> Outcome {
        offloaded[ticket] = stamp.handled(at: loop.now())
        let request = RequestID(connection: id, ticket: ticket)
        let mailbox = loop.mailbox
        work { mailbox.post(.done(request, .other($0))) }
        return .waiting
    }

    private func offload(_ ticket: Ticket, _ stamp: RequestStamp, _ work: @escaping @Sendable () -> Response.Body) {
        responses.makeExclusive(ticket)
        offloaded[ticket] = stamp
        let request = RequestID(connection: id, ticket: ticket)
        let mailbox = loop.mailbox
        broker.administration.submit { _ in mailbox.post(.done(request, work())) }
    }
}
