//! Generates and encodes for a named wire, sends nothing.

/// Sends nothing.
#[derive(Debug)]
pub struct Null;
