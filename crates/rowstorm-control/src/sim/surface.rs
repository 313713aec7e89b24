//! A surface: everything about a simulated database, its network and its client that decides how fast it is.
//!
//! One flat list of numbers, so that a scenario file, a random draw and a change in mid-run set them in the same way.

use crate::Bounds;

macro_rules! surface {
    ($($(#[$doc:meta])* $name:ident = $default:expr;)*) => {
        /// The parameters of a simulated database and its client.
        ///
        /// ```
        /// use rowstorm_control::sim::Surface;
        /// let mut surface = Surface::default();
        /// assert!(surface.set("batch_ms", 4.0));
        /// assert!(!surface.set("colour", 4.0));
        /// ```
        #[derive(Debug, Clone, PartialEq)]
        pub struct Surface {
            $($(#[$doc])* pub $name: f64,)*
        }

        impl Default for Surface {
            fn default() -> Surface {
                Surface { $($name: $default,)* }
            }
        }

        impl Surface {
            /// Sets the parameter of this name; `false` if there is none.
            pub fn set(&mut self, name: &str, value: f64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)*
                    _ => return false,
                }
                true
            }
        }
    };
}

surface! {
    /// Batches that are worked on at full speed side by side.
    workers = 4.0;
    /// Batches that are worked on at all; the others queue.
    pool = 1e9;
    /// Batches that may queue; one more is refused.
    queue = 1e9;
    /// How often the server itself tries a refused batch again before the client hears of it.
    hidden_retries = 0.0;
    /// Work of every batch.
    batch_ms = 5.0;
    /// Work of every row.
    row_us = 5.0;
    /// Where a row's work has doubled: `row_us × (1 + (rows / knee_rows)^1.5)`.
    knee_rows = 1e9;
    /// How much more work a batch of exactly 1,000 rows is than the curve says (PostgreSQL's COPY: 0.5).
    notch = 0.0;
    /// Contention of the universal scalability law: what each further batch waits for a common lock.
    sigma = 0.0;
    /// Crosstalk of the same law: what every pair of batches costs; beyond some number more is slower.
    kappa = 0.0;
    /// Bytes of requests that the server holds; a batch beyond is refused as busy (a circuit breaker).
    breaker_bytes = 1e15;
    /// Bytes of one request; a larger one is refused as too large.
    packet_bytes = 1e15;
    /// A commit waits for a flush of this length, and all that came meanwhile share the next.
    flush_ms = 0.0;
    /// There and back.
    network_ms = 0.5;
    /// Rows per second that the client makes, all lanes together.
    generator = 1e9;
    /// Spread of a batch's work, log-normal.
    noise = 0.15;
    /// Share of batches that take much longer.
    spike_share = 0.0;
    /// How much longer: between a half and one and a half of this.
    spike_factor = 12.0;
    /// Spread of the capacity over time (Ornstein-Uhlenbeck, log).
    wander = 0.04;
    /// How long the capacity remembers.
    wander_s = 15.0;
    /// A checkpoint comes this often; 0 is never.
    stall_every_s = 0.0;
    /// It lasts so long.
    stall_s = 1.0;
    /// What is left of the capacity meanwhile.
    stall_factor = 0.2;
    /// Bytes of dirty pages at which the server stops to write them; from 70 % of it on it brakes.
    dirty_bytes = 1e15;
    /// Bytes of dirty pages that are written per second, half of it while the server stands.
    drain_bytes = 1e15;
    /// A factor on everything the server does.
    capacity = 1.0;
    /// The capacity falls by this share per hour (indexes grow).
    decay = 0.0;
    /// Bytes of an encoded row.
    row_bytes = 150.0;
    /// Budget of payload bytes in flight.
    budget_bytes = 268_435_456.0;
    /// Rows that a batch may have.
    rows_max = 100_000.0;
    /// Connections that the server gives.
    in_flight_max = 256.0;
    /// Rows that took longer do not count; 0 is no limit.
    p99_ms = 0.0;
}

impl Surface {
    /// What a controller must keep within.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            rows_max: self.rows_max as u32,
            in_flight_max: self.in_flight_max as u32,
            bytes_max: self.budget_bytes as u64,
        }
    }

    /// Seconds of one worker for a batch of so many rows, without noise.
    pub fn work(&self, rows: f64) -> f64 {
        let growth = 1.0 + (rows / self.knee_rows).powf(1.5);
        let off = (rows / 1_000.0).ln() / 0.35;
        let notch = 1.0 + self.notch * (-off * off).exp();
        (self.batch_ms * 1e-3 + self.row_us * 1e-6 * rows * growth) * notch
    }

    /// The speed of each of `running` batches, where 1 is a batch that is alone.
    pub fn speed(&self, running: f64) -> f64 {
        if running < 1.0 {
            return self.capacity;
        }
        let law = 1.0 + self.sigma * (running - 1.0) + self.kappa * running * (running - 1.0);
        self.capacity * (self.workers / running).min(1.0) / law
    }

    /// Payload bytes of a batch.
    pub fn bytes(&self, rows: f64) -> f64 {
        rows * self.row_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_batches_than_the_law_bears_are_slower() {
        let surface = Surface { workers: 8.0, sigma: 0.02, kappa: 0.01, ..Surface::default() };
        let rate = |running: f64| running * surface.speed(running);
        assert!(rate(4.0) > rate(1.0));
        assert!(rate(64.0) < rate(8.0));
    }
}
