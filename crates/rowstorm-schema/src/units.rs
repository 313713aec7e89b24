//! Values with a unit, written out: `500ms`, `256MiB`, `10000/s`, `auto`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of time: `500ms`, `10s`, `1h30m`. Whole microseconds.
#[derive(
    Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord,
)]
pub struct Span(pub Duration);

/// A number of bytes: `1024`, `256MiB`, `1KB`.
#[derive(
    Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord,
)]
pub struct ByteSize(pub u64);

/// Rows per second: `10000/s`, or `max`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq)]
pub enum Rate {
    /// As fast as it goes.
    Max,
    /// This many rows each second, all shards together.
    PerSecond(f64),
}

/// A number, or `auto`: found by the controller.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum AutoOr {
    /// The controller finds it.
    Auto,
    /// Held at this number.
    Fixed(u32),
}
