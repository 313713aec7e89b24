//! What others do, ported from what is published, to be measured against.
//!
//! Each port is small and keeps its original's rule and constants; the source is named in its header. They search or limit
//! under the same bounds, and those that need a measurement take the same [slices](crate).

mod aimd;
mod arc;
mod automator;
mod climb;
mod golden;
mod gradient;
mod hill;
mod knobs;
mod limiter;
mod sampled;
mod slice;
mod spsa;
mod vegas;

pub use aimd::Aimd;
pub use arc::AdaptiveConcurrency;
pub use automator::Automator;
pub use climb::{Climb, ClimbOptions};
pub use golden::Golden;
pub use gradient::Gradient2;
pub use hill::HillClimb;
pub use knobs::Knobs;
pub use sampled::RandomSearch;
pub use spsa::Spsa;
pub use vegas::Vegas;
