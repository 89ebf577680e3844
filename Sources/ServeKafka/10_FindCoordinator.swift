// FindCoordinator (10): served 0 to 6.
//
// This broker coordinates every group. The address told is the one that Metadata tells. The first request creates
// `__consumer_offsets`, as in Kafka, so that nothing that groups do later waits for that.
//
// Deviations from Kafka: transactions are not served: COORDINATOR_NOT_AVAILABLE for a transactional id. Share groups
// are not served: INVALID_REQUEST.

import Groups
import KafkaWire
import Log

extension KafkaConnection {
    /// Answers here, unless the topic of the groups has to be created.
    func findCoordinator(_ request: FindCoordinatorRequest, version: Int16) -> Outcome {
        let (broker, addresses) = (broker, addresses)
        guard request.coordinatorKeys.count <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "the coordinators of \(request.coordinatorKeys.count) groups")
        }
        guard request.keyType == CoordinatorKey.group, !broker.groups.isReady else {
            return .answered(.other(broker.findCoordinator(request, version: version, addresses, ready: .none)))
        }
        return .offloaded {
            .other(broker.findCoordinator(request, version: version, addresses, ready: broker.groups.prepare()))
        }
    }
}

/// What a key is.
private enum CoordinatorKey {
    static let group: Int8 = 0
    static let transaction: Int8 = 1
}

extension Broker {
    /// Answers FindCoordinator. `ready` says whether the groups can be served.
    func findCoordinator(
        _ request: FindCoordinatorRequest, version: Int16, _ addresses: ConnectionAddresses, ready: ErrorCode
    ) -> FindCoordinatorResponse {
        let (error, message) = coordinatorError(request.keyType, ready)
        let endpoint = endpoint(for: addresses)
        let node =
            error == .none ? (id: log.nodeID, host: endpoint.host, port: Int32(endpoint.port)) : (-1, "", -1)
        var response = FindCoordinatorResponse()
        if version <= 3 {
            (response.errorCode, response.errorMessage) = (error, message)
            (response.nodeId, response.host, response.port) = node
        }
        response.coordinators = request.coordinatorKeys.map { key in
            var coordinator = FindCoordinatorResponse.Coordinator()
            coordinator.key = key
            (coordinator.errorCode, coordinator.errorMessage) = (error, message)
            (coordinator.nodeId, coordinator.host, coordinator.port) = node
            return coordinator
        }
        instruments.countError(.findCoordinator, error)
        return response
    }

    private func coordinatorError(_ keyType: Int8, _ ready: ErrorCode) -> (ErrorCode, String?) {
        switch keyType {
        case CoordinatorKey.group: (ready, ready == .none ? nil : "the groups cannot be stored now")
        case CoordinatorKey.transaction: (.coordinatorNotAvailable, "transactions are not served yet")
        default: (.invalidRequest, "there are no coordinators for keys of type \(keyType)")
        }
    }
}
