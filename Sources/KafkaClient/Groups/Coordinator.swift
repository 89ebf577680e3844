import KafkaWire

extension KafkaClient {
    /// Asks the coordinator of a group, and asks again while that moves, loads, or cannot be reached.
    func onCoordinator<Value: Sendable>(
        of group: String, until deadline: Int64,
        _ operation: (Cluster.Target) async throws(KafkaClientError) -> Value
    ) async throws(KafkaClientError) -> Value {
        try await retrying(until: deadline) { () async throws(KafkaClientError) in
            try await operation(.node(coordinator(of: group)))
        }
    }

    /// The broker that coordinates a group.
    func coordinator(of group: String) async throws(KafkaClientError) -> Int32 {
        let response = try await request(to: .any) { version in
            var request = FindCoordinatorRequest()
            request.key = group
            request.coordinatorKeys = version >= 4 ? [group] : []
            return request
        }
        let found = response.coordinators.first
        let code = found?.errorCode ?? response.errorCode
        guard code == .none else {
            throw .refused(
                code, "the coordinator of group \"\(group)\" is not known",
                detail: found?.errorMessage ?? response.errorMessage)
        }
        let node = found?.nodeId ?? response.nodeId
        // A coordinator that metadata does not name yet cannot be connected to.
        let isKnown = try await metadata(of: []).brokers[node] != nil
        guard isKnown else { throw .refused(.coordinatorNotAvailable, "broker \(node) is not in the metadata") }
        return node
    }
}
