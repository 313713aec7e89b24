//! What a server of ours uses while rows are loaded into it: the CPU of its process and all its children, over time.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::bench::processor::Clock;

/// How often it is looked at. More often would cost more than it tells: between two looks the line is straight.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Looks from a thread of its own.
pub(super) struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<Course>,
}

/// CPU seconds since the server's start, at some instants.
#[derive(Debug, Default)]
pub(super) struct Course(Vec<(Instant, f64)>);

impl Watch {
    /// Begins to look.
    pub(super) fn start(clock: Clock, pid: u32) -> Watch {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let mut course = Course::default();
            loop {
                course.0.push((Instant::now(), clock.of_tree(pid)));
                if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
                    return course;
                }
            }
        });
        Watch { stop, thread }
    }

    /// Ends, with a last look.
    pub(super) fn finish(self) -> Course {
        drop(self.stop);
        self.thread.join().expect("it only reads and waits")
    }
}

impl Course {
    /// CPU seconds from one instant to another, both within what was looked at.
    pub(super) fn between(&self, from: Instant, to: Instant) -> f64 {
        self.at(to) - self.at(from)
    }

    fn at(&self, instant: Instant) -> f64 {
        let behind = self.0.partition_point(|(at, _)| *at <= instant);
        let (Some(before), after) = (self.0[..behind].last(), self.0.get(behind)) else {
            return self.0.first().map_or(f64::NAN, |first| first.1);
        };
        let Some(after) = after else { return before.1 };
        let share = (instant - before.0).as_secs_f64() / (after.0 - before.0).as_secs_f64();
        before.1 + share * (after.1 - before.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_looks_the_line_is_straight() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let course = Course(vec![(at(0), 1.0), (at(100), 2.0), (at(200), 2.5)]);
        for (from, to, seconds) in
            [(0, 200, 1.5), (50, 150, 0.75), (100, 100, 0.0), (150, 300, 0.25)]
        {
            let found = course.between(at(from), at(to));
            assert!((found - seconds).abs() < 1e-9, "{from} to {to}: {found}");
        }
    }
}
