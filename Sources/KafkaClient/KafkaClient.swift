// KafkaClient: see ARCHITECTURE.md.
