// ServeHTTP: see ARCHITECTURE.md.
