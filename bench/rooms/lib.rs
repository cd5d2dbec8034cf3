//! Criterion benchmarks of the rooms that need neither a network nor a database: see `benches/`.
