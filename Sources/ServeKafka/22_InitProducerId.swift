// InitProducerId (22): served 0 to 5.
//
// Deviations from Kafka: a transactional id is refused with INVALID_TXN_STATE, since transactions are not served; no
// coordinator is needed. A producer that asks with the id and epoch that it has (KIP-360) gets a new id.

import KafkaWire
import Log

extension KafkaConnection {
    /// A new id may have to reserve the next block of them on disk.
    func initProducerId(_ request: InitProducerIdRequest) -> Outcome {
        let broker = broker
        return .offloaded { .other(broker.initProducerId(request)) }
    }
}

extension Broker {
    /// Answers InitProducerId. May wait for the disk.
    func initProducerId(_ request: InitProducerIdRequest) -> InitProducerIdResponse {
        var response = InitProducerIdResponse()
        do throws(LogError) {
            guard request.transactionalId == nil else {
                throw LogError(.invalidTransactionState, "transactions are not served")
            }
            response.producerId = try log.nextProducerID()
        } catch {
            response.errorCode = error.kafkaCode
            response.producerEpoch = -1
            instruments.countError(.initProducerId, response.errorCode.name)
        }
        return response
    }
}
