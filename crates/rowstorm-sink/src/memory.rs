//! The reference implementation and fault stage: rows kept in memory.

/// Rows in memory.
#[derive(Debug)]
pub struct Memory;
/// A fault to inject.
#[derive(Debug)]
pub struct Fault;
/// A row kept in memory.
#[derive(Debug)]
pub struct MemoryRow;
