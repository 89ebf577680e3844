// DescribeCluster (60): served 0 to 2.
//
// Deviations from Kafka: one broker. Controllers (endpoint type 2) are no endpoint of their own:
// UNSUPPORTED_ENDPOINT_TYPE, as a Kafka broker answers for types that it does not know.

import KafkaWire
import Log

extension Broker {
    /// Answers DescribeCluster.
    func describeCluster(
        _ request: DescribeClusterRequest, _ addresses: ConnectionAddresses
    ) -> DescribeClusterResponse {
        var response = DescribeClusterResponse()
        response.endpointType = request.endpointType
        response.clusterId = log.clusterID
        response.controllerId = log.nodeID
        guard request.endpointType == 1 else {
            response.errorCode = .unsupportedEndpointType
            response.errorMessage = "only brokers (endpoint type 1) have endpoints, not type \(request.endpointType)"
            instruments.countError(.describeCluster, response.errorCode.name)
            return response
        }
        let endpoint = endpoint(for: addresses)
        var node = DescribeClusterResponse.DescribeClusterBroker()
        node.brokerId = log.nodeID
        node.host = endpoint.host
        node.port = Int32(endpoint.port)
        response.brokers = [node]
        return response
    }
}
