//! Instants that tick: one step per row, or per round of a series' entities.

use crate::{Fill, Rows, Stream, Values};

/// `start + tick × step`, and a jitter on top.
#[derive(Debug)]
pub(crate) struct Clock {
    pub(crate) start_us: i64,
    pub(crate) step_us: i64,
    /// The largest jitter; 0 for none.
    pub(crate) jitter_us: u64,
    /// Rows of one tick: the entities of a series, else 1.
    pub(crate) entities: u64,
}

impl Clock {
    fn tick(&self, tick: u64) -> i64 {
        self.start_us.wrapping_add((tick as i64).wrapping_mul(self.step_us))
    }
}

impl Fill for Clock {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let out = out.timestamps();
        if self.entities == 1 {
            rows.map_into(out, |row| self.tick(row));
        } else {
            rows.map_ticks_into(self.entities, out, |_, tick| self.tick(tick));
        }
        if self.jitter_us > 0 {
            let n = self.jitter_us + 1;
            let mut instants = out.iter_mut();
            rows.for_each(|row| {
                let instant = instants.next().expect("as many instants as rows");
                *instant = instant.wrapping_add(stream.at(row).below(n) as i64);
            });
        }
    }
}
