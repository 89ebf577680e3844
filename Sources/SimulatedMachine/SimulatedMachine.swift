// SimulatedMachine: see ARCHITECTURE.md.
