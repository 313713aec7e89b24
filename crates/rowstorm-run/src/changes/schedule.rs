//! When ops are meant to start: a schedule, computed and not slept.
//!
//! A schedule is a row of places in time ("slots"). Which op takes a slot is decided when it is taken, by the stream that is free; the slot's
//! time is from then on the op's intended start, however late it really begins. That is what makes a stall show in
//! every op that had to wait for it.

use std::time::Duration;

use rowstorm_gen::schema::Arrivals;

use super::options::Stage;
use crate::backoff::mix;

/// The slots of one shard, in order, each taken once.
#[derive(Debug)]
pub(crate) struct Slots {
    stages: Vec<Span>,
    arrivals: Arrivals,
    seed: u64,
    /// The stage of the next slot.
    at: usize,
    /// The next slot's number within it, and its time.
    number: u64,
    next: Duration,
}

/// A stage with its place in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: Duration,
    /// `None`: without an end.
    pub(crate) to: Option<Duration>,
    /// Ops per second of this shard.
    pub(crate) rate: Option<f64>,
    /// Which of the slots of all shards are this one's.
    shard: (u32, u32),
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Next {
    /// The next slot.
    Slot {
        /// Its time.
        due: Duration,
        /// Its stage.
        stage: usize,
    },
    /// No schedule: as many ops as there are lanes for, until this time.
    Free {
        /// The stage.
        stage: usize,
    },
    /// No slot is left.
    Over,
}

impl Slots {
    /// The slots of part `shard.0` (from 0) of `shard.1`. `scale` turns a stage's rate into ops per second.
    pub(crate) fn new(
        stages: &[Stage],
        scale: f64,
        arrivals: Arrivals,
        seed: u64,
        shard: (u32, u32),
    ) -> Slots {
        let mut from = Duration::ZERO;
        let mut spans = Vec::with_capacity(stages.len());
        for stage in stages {
            let to = stage.length.map(|length| from + length);
            let rate = stage.rate.map(|rate| rate * scale / f64::from(shard.1));
            spans.push(Span { from, to, rate, shard });
            from = to.unwrap_or(from);
        }
        let seed = mix(seed ^ mix(u64::from(shard.0)));
        let mut slots =
            Slots { stages: spans, arrivals, seed, at: 0, number: 0, next: Duration::ZERO };
        slots.settle(Duration::ZERO);
        slots
    }

    /// The stages in order.
    pub(crate) fn stages(&self) -> &[Span] {
        &self.stages
    }

    /// When the schedule ends.
    pub(crate) fn end(&self) -> Option<Duration> {
        self.stages.last().and_then(|last| last.to)
    }

    /// What comes next, at this time. Slots of a stage that is over come first, however late.
    pub(crate) fn next(&mut self, now: Duration) -> Next {
        while let Some(span) = self.stages.get(self.at) {
            match span.rate {
                Some(_) => return Next::Slot { due: self.next, stage: self.at },
                None if now < span.from => {
                    return Next::Slot { due: span.from, stage: self.at };
                }
                None if span.to.is_none_or(|to| now < to) => return Next::Free { stage: self.at },
                None => self.enter(self.at + 1),
            }
        }
        Next::Over
    }

    /// Takes the next slot, if it has one.
    pub(crate) fn take(&mut self) {
        let Some(span) = self.stages.get(self.at) else { return };
        if span.rate.is_some() {
            self.number += 1;
            self.settle(self.next);
        }
    }

    /// Takes slots of one stage that are due by `now`, at most `most`, and appends their times.
    pub(crate) fn take_due(&mut self, now: Duration, most: usize, out: &mut Vec<Duration>) {
        let stage = self.at;
        while out.len() < most {
            match self.next(now) {
                Next::Slot { due, stage: of } if of == stage && due <= now => out.push(due),
                Next::Slot { .. } | Next::Free { .. } | Next::Over => return,
            }
            self.take();
        }
    }

    /// Gives up all slots that were due before `before`; calls `each` with the stage and their number.
    pub(crate) fn give_up(&mut self, before: Duration, mut each: impl FnMut(usize, u64)) {
        loop {
            let stage = self.at;
            let mut count = 0;
            while let Some(Span { rate: Some(_), .. }) = self.stages.get(stage)
                && self.at == stage
                && self.next < before
            {
                self.take();
                count += 1;
            }
            if count > 0 {
                each(stage, count);
            }
            if self.at == stage {
                return;
            }
        }
    }

    /// Computes the time of the slot at hand; goes to the next stage where this one has none left.
    fn settle(&mut self, previous: Duration) {
        let Some(span) = self.stages.get(self.at).copied() else { return };
        let Some(rate) = span.rate else { return };
        self.next = match self.arrivals {
            Arrivals::Constant => {
                let (index, count) = span.shard;
                let place = self.number as f64 + f64::from(index) / f64::from(count);
                span.from + Duration::from_secs_f64(place / rate)
            }
            Arrivals::Poisson => {
                let word = mix(self.seed ^ mix(((self.at as u64) << 48) ^ self.number));
                // In (0, 1]: its logarithm is finite.
                let share = ((word >> 11) + 1) as f64 / (1u64 << 53) as f64;
                previous.max(span.from) + Duration::from_secs_f64(-share.ln() / rate)
            }
        };
        if span.to.is_some_and(|to| self.next >= to) {
            self.enter(self.at + 1);
        }
    }

    fn enter(&mut self, stage: usize) {
        self.at = stage;
        self.number = 0;
        let from = self.stages.get(stage).map_or(Duration::ZERO, |span| span.from);
        self.settle(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(rate: f64, seconds: u64) -> Stage {
        Stage { rate: Some(rate), length: Some(Duration::from_secs(seconds)) }
    }

    fn all(mut slots: Slots) -> Vec<Duration> {
        let mut times = Vec::new();
        while let Next::Slot { due, .. } = slots.next(Duration::MAX) {
            times.push(due);
            slots.take();
        }
        times
    }

    #[test]
    fn a_constant_rate_is_evenly_spread_and_the_shards_interleave() {
        let whole = all(Slots::new(&[stage(100.0, 3)], 1.0, Arrivals::Constant, 1, (0, 1)));
        assert_eq!(whole.len(), 300);
        assert!((0..300).all(|slot| whole[slot] == Duration::from_millis(10 * slot as u64)));
        let mut parts: Vec<Duration> = (0..4)
            .flat_map(|index| {
                all(Slots::new(&[stage(100.0, 3)], 1.0, Arrivals::Constant, 1, (index, 4)))
            })
            .collect();
        parts.sort();
        assert_eq!(parts.len(), 300);
        let apart =
            |(one, other): (&Duration, &Duration)| one.abs_diff(*other) < Duration::from_nanos(5);
        assert!(parts.iter().zip(&whole).all(apart));
    }

    #[test]
    fn poisson_gaps_have_the_rates_mean_and_variance_and_hang_on_the_seed_alone() {
        let times =
            |seed| all(Slots::new(&[stage(1_000.0, 100)], 1.0, Arrivals::Poisson, seed, (0, 1)));
        let (one, same, other) = (times(1), times(1), times(2));
        assert_eq!(one, same);
        assert_ne!(one, other);
        // 100,000 expected, with a standard deviation of 316.
        assert!((98_700..101_300).contains(&one.len()), "{}", one.len());
        let gaps: Vec<f64> =
            one.windows(2).map(|pair| pair[1].abs_diff(pair[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Of an exponential distribution the mean is the standard deviation.
        assert!((mean * 1e3 - 1.0).abs() < 0.02 && (variance.sqrt() / mean - 1.0).abs() < 0.03);
    }

    #[test]
    fn stages_follow_each_other_and_late_slots_come_before_the_next_stage() {
        let max = Stage { rate: None, length: Some(Duration::from_secs(5)) };
        let stages = [stage(10.0, 2), stage(20.0, 1), max];
        let mut slots = Slots::new(&stages, 1.0, Arrivals::Constant, 1, (0, 1));
        assert_eq!(slots.end(), Some(Duration::from_secs(8)));
        let mut due = Vec::new();
        // At 2.5 s the first stage's 20 slots are all due, and come alone.
        slots.take_due(Duration::from_millis(2_500), 100, &mut due);
        assert_eq!(due.len(), 20);
        due.clear();
        slots.take_due(Duration::from_millis(2_500), 100, &mut due);
        assert_eq!(due.len(), 11);
        due.clear();
        slots.take_due(Duration::from_secs(4), 100, &mut due);
        assert_eq!(due.len(), 9);
        assert_eq!(slots.next(Duration::from_secs(4)), Next::Free { stage: 2 });
        assert_eq!(slots.next(Duration::from_secs(8)), Next::Over);
    }

    #[test]
    fn slots_that_are_given_up_are_counted_by_stage() {
        let mut slots =
            Slots::new(&[stage(10.0, 2), stage(20.0, 1)], 1.0, Arrivals::Constant, 1, (0, 1));
        let mut given = Vec::new();
        slots.give_up(Duration::from_millis(2_250), |stage, count| given.push((stage, count)));
        assert_eq!(given, [(0, 20), (1, 5)]);
        assert_eq!(
            slots.next(Duration::ZERO),
            Next::Slot { due: Duration::from_millis(2_250), stage: 1 }
        );
    }
}
