// Instruments: see ARCHITECTURE.md.
