//! What the limiters of concurrency have in common: one coordinate, changed often, and no measurement of speed.

/// The parts of a controller that are the same for all limiters over a field `knobs`.
macro_rules! limits_in_flight {
    ($name:ty) => {
        impl $crate::Controller for $name {
            fn decision(&self) -> &$crate::Decision {
                &self.knobs.decision
            }

            fn observe(&mut self, seen: &$crate::Observation) -> &$crate::Decision {
                let limit = self.limit(seen);
                if limit != self.knobs.decision.in_flight {
                    let point = $crate::Point { in_flight: limit, ..self.knobs.point() };
                    self.knobs.set(point, "limit");
                }
                &self.knobs.decision
            }

            fn state(&self) -> $crate::State {
                $crate::State::Exploring
            }
        }
    };
}

pub(super) use limits_in_flight;
