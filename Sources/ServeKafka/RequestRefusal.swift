import KafkaWire
import Log

/// Why one item of a request (a topic, a resource) is refused, while the others are served.
struct RequestRefusal: Error {
    let code: ErrorCode
    let message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: LogError) {
        self.init(error.kafkaCode, error.message)
    }
}
