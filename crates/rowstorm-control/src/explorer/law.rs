//! The law by which the model explains a server: how fast it should be at a setting, from seven numbers.
//!
//! A batch is work of its own and work per row, which grows beyond a knee. Workers share the processor, wait for common locks and
//! disturb each other (the universal scalability law); a delay that keeps no worker, of network and flush, comes on top. How many
//! batches are worked on and how many are on their way follows from Little's law.

use crate::Point;

pub(super) const TERMS: usize = 7;
/// Rounds in which batches at work and on their way find their balance.
const ROUNDS: u32 = 8;
/// A step of a number by which the slope is taken.
const STEP: f64 = 1e-3;

/// What is plausible of a database server before anything was measured: the middle and the spread, in logarithms. The first is
/// in units of a row's work; what that is, the fastest measurement tells.
pub(super) const PLAUSIBLE: [(f64, f64); TERMS] = [
    (FIXED_ROWS, 1.5),
    (1.0, 2.0),
    (40_000.0, 2.0),
    (0.006, 1.6),
    (WORKERS, 1.2),
    (0.004, 1.3),
    (0.000_1, 1.8),
];
/// Rows whose work a batch's own work is worth.
const FIXED_ROWS: f64 = 500.0;
pub(super) const WORKERS: f64 = 6.0;

/// Logarithms of: a batch's own work and a row's, in seconds of a worker; rows at which the latter has doubled; seconds of
/// delay; workers; what each further batch adds by waiting, and each pair by disturbing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Law(pub(super) [f64; TERMS]);

impl Law {
    /// Rows per second at a setting, in logarithms.
    pub(super) fn log_rate(&self, point: Point) -> f64 {
        log_rate(&self.0.map(f64::exp), point)
    }

    /// The same, and by how much it grows with each of the numbers.
    pub(super) fn slope(&self, point: Point) -> (f64, [f64; TERMS]) {
        let numbers = self.0.map(f64::exp);
        let here = log_rate(&numbers, point);
        let slope = std::array::from_fn(|term| {
            let mut next = numbers;
            next[term] *= 1.0 + STEP;
            (log_rate(&next, point) - here) / STEP
        });
        (here, slope)
    }
}

fn log_rate(numbers: &[f64; TERMS], point: Point) -> f64 {
    let [own, row, knee, delay, workers, wait, disturb] = *numbers;
    let (rows, lanes) = (f64::from(point.batch_rows), f64::from(point.in_flight));
    let work = own + row * rows * (1.0 + rows / knee);
    let seconds = |running: f64| {
        // 1 below the number of workers, and their share of the batches beyond it, without an edge.
        let share = (1.0 + (running / workers).powi(4)).sqrt().sqrt();
        let others = (running - 1.0).max(0.0);
        work * share * (1.0 + wait * others + disturb * running * others)
    };
    let mut running = lanes;
    let mut busy = seconds(running);
    for _ in 0..ROUNDS {
        let next = lanes * busy / (delay + busy);
        if (next - running).abs() < 1e-4 * running {
            break;
        }
        running = next;
        busy = seconds(running);
    }
    (lanes * rows / (delay + busy)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(workers: f64, delay: f64) -> Law {
        Law([0.001, 1e-5, 1e9, delay, workers, 1e-9, 1e-9].map(f64::ln))
    }

    fn rate(law: &Law, batch_rows: u32, in_flight: u32) -> f64 {
        law.log_rate(Point { batch_rows, in_flight }).exp()
    }

    #[test]
    fn lanes_pay_up_to_the_workers_and_rows_pay_off_a_batch_s_own_work() {
        let law = law(8.0, 1e-9);
        assert!((rate(&law, 900, 1) - 90_000.0).abs() < 1_000.0);
        assert!(rate(&law, 900, 4) > 3.9 * rate(&law, 900, 1));
        assert!(rate(&law, 900, 64) < 1.01 * 8.0 * rate(&law, 900, 1));
        assert!((rate(&law, 9_900, 1) / rate(&law, 100, 1) - 1.98).abs() < 0.01);
    }

    #[test]
    fn a_delay_is_hidden_by_more_lanes() {
        let law = law(1.0, 0.03);
        assert!(rate(&law, 900, 4) > 3.0 * rate(&law, 900, 1));
        assert!(rate(&law, 900, 32) > 0.99 * 90_000.0);
    }
}
