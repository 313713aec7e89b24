//! Controllers and pacers: how many rows a batch holds, how many batches are in flight, and when the next may start.
//!
//! Pure state machines: no clock, no IO, no lock, no randomness, no dependency. Time comes in with each observation,
//! so that equal observations give equal decisions, in a simulator as in a run.

mod climb;
mod fixed;
mod observation;
mod pace;
mod slice;

pub use climb::{Climb, ClimbOptions};
pub use fixed::Fixed;
pub use observation::{Bounds, Controller, Decision, Observation, Reason, State, Verdict};
pub use pace::{Pace, Steady, Unpaced};
