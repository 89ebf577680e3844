// FindCoordinator (10): served 0 to 6.
//
// Deviation from Kafka: neither groups nor transactions are served, so there is never a coordinator:
// COORDINATOR_NOT_AVAILABLE, which clients retry. The API is advertised all the same: librdkafka takes a broker
// without it for one from before 0.8.2, and silently sends what was to be compressed with lz4 uncompressed.

import KafkaWire

extension Broker {
    /// Answers FindCoordinator.
    func findCoordinator(_ request: FindCoordinatorRequest, version: Int16) -> FindCoordinatorResponse {
        let message = "groups and transactions are not served yet"
        var response = FindCoordinatorResponse()
        response.nodeId = -1
        response.port = -1
        if version <= 3 {
            response.errorCode = .coordinatorNotAvailable
            response.errorMessage = message
        }
        response.coordinators = request.coordinatorKeys.map { key in
            var coordinator = FindCoordinatorResponse.Coordinator()
            coordinator.key = key
            coordinator.nodeId = -1
            coordinator.port = -1
            coordinator.errorCode = .coordinatorNotAvailable
            coordinator.errorMessage = message
            return coordinator
        }
        instruments.countError(.findCoordinator, ErrorCode.coordinatorNotAvailable.name)
        return response
    }
}
