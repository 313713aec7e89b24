//! Controllers and pacers: how many rows a batch holds, how many batches are in flight, and when the next may start.
//!
//! Pure state machines: no clock, no IO, no lock, no randomness, no dependency. Time comes in with each observation,
//! so that equal observations give equal decisions, in a simulator as in a run.

mod explorer;
mod fixed;
mod observation;
mod pace;
mod reason;
#[cfg(feature = "sim")]
pub mod sim;

pub use explorer::{End, Explorer, ExplorerOptions, Objective};
pub use fixed::Fixed;
pub use observation::{Bounds, Controller, Counters, Decision, Observation, Point, State, Verdict};
pub use pace::{Pace, Steady, Unpaced};
pub use reason::{Direction, Reason};
