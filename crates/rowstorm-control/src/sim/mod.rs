//! A simulated database for controllers: yours, ours and others'. With the feature `sim`.
//!
//! Single-threaded, discrete events, no dependency, and the same numbers for the same seed. Write a [`Scenario`], give any
//! [`Controller`](crate::Controller) to a [`Simulation`], read the [`Trace`]; or let a [`Bench`] say what it lost against the
//! best fixed setting under the same [`Weather`].
//!
//! ```
//! use rowstorm_control::{Fixed, sim::{Scenario, Simulation, Weather}};
//! let scenario = Scenario::parse("small", "workers 2\nbatch_ms 4\nrow_us 10\n").expect("a scenario");
//! let weather = Weather::new(&scenario, 1, 10.0);
//! let run = Simulation {
//!     scenario: &scenario, weather: &weather, seed: 1, seconds: 10.0, kept_at: &[], journal: false,
//! };
//! let few = run.run(&mut Fixed::new(100, 1)).rows_between(0.0, 10.0);
//! let many = run.run(&mut Fixed::new(5_000, 4)).rows_between(0.0, 10.0);
//! assert!(many > 5.0 * few);
//! ```

pub mod baselines;
mod draw;
mod judge;
mod oracle;
mod random;
mod scenario;
mod server;
mod surface;
mod trace;
mod tuned;
mod weather;
mod world;

pub use draw::draw;
pub use judge::{Bench, FROZEN_AT_S, Frozen, Score};
pub use oracle::{Schedule, best};
pub use random::Random;
pub use scenario::{Regime, Scenario, ScenarioError};
pub use surface::Surface;
pub use trace::{BUCKET_S, Trace};
pub use tuned::tuned;
pub use weather::Weather;
pub use world::Simulation;
