// KafkaWire: see ARCHITECTURE.md.
