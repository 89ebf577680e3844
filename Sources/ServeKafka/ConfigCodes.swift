import Log

/// What a request about configs is about, as Kafka numbers it.
enum ConfigResourceType {
    static let topic: Int8 = 2
    static let broker: Int8 = 4
}

extension ConfigDescription.Source {
    /// Kafka's number. Never -1: Java's admin client throws on it.
    var kafkaCode: Int8 {
        switch self {
        case .topic: 1
        case .thisBroker: 2
        case .everyBroker: 3
        case .broker: 4
        case .default: 5
        }
    }
}

extension ConfigDescription.Kind {
    /// Kafka's number.
    var kafkaCode: Int8 {
        switch self {
        case .boolean: 1
        case .string: 2
        case .int: 3
        case .long: 5
        case .double: 6
        case .list: 7
        }
    }
}
