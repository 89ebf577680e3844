// MillraceTesting: see ARCHITECTURE.md.
