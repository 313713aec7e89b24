//! Both settings given.

use std::time::Duration;

use crate::{Controller, Decision, Observation, Reason, State};

/// Holds one batch size and concurrency.
///
/// ```
/// use rowstorm_control::{Controller, Fixed};
/// assert_eq!(Fixed::new(10_000, 4).decision().batch_rows, 10_000);
/// ```
#[derive(Debug, Clone)]
pub struct Fixed(Decision);

impl Fixed {
    /// Holds this setting.
    pub fn new(batch_rows: u32, in_flight: u32) -> Fixed {
        Fixed(Decision {
            number: 0,
            batch_rows,
            in_flight,
            pause: Duration::ZERO,
            reason: Reason::Pinned,
        })
    }
}

impl Controller for Fixed {
    fn decision(&self) -> &Decision {
        &self.0
    }

    fn observe(&mut self, _: &Observation) -> &Decision {
        &self.0
    }

    fn state(&self) -> State {
        State::Pinned
    }
}
