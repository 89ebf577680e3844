// ServeKafka: see ARCHITECTURE.md.
