//! The table that is being loaded: which rows are left, how many make a job, how many lanes may work.

use std::time::Duration;

use rowstorm_control::{
    self as control, Bounds, Controller, Counters, End, Explorer, ExplorerOptions, Fixed,
    Observation, Point, Reason, State,
};

use crate::work::Work;
use crate::{Entry, Journal, Objective, RunOptions, Setting, Until, decisions};

/// More lanes than this help no database, and each has a connection.
const LANES_MAX: u32 = 256;
/// Under a schedule, a batch is at most the rows of so many seconds, so that rows come evenly.
const PACED_BATCH_SECONDS: f64 = 0.1;
/// How much of the last estimate of a row's bytes stays when a payload was smaller: it falls slowly and rises at once.
const ROW_BYTES_KEPT: f64 = 0.98;
/// Payloads vary: so much more is reserved than the estimate says (1/16), plus a header.
const SLACK_SHARE: f64 = 1.0625;
const SLACK_BYTES: f64 = 64.0;

/// What is kept is sure when it has stood so long: a settled explorer has looked around once more by then.
const SURE_AFTER: Duration = Duration::from_secs(20);

/// What a lane holds.
#[derive(Debug, Clone, Copy, Default)]
struct InHand {
    rows: u64,
    /// Whether its connection was lost. A server may have no room for another until the other lanes get on.
    is_aside: bool,
}

#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) table: usize,
    next: u64,
    end: u64,
    /// When handing out ends, since the start of the load.
    pub(crate) deadline: Option<Duration>,
    pub(crate) controller: Box<dyn Controller>,
    journal: Option<Journal>,
    freezes: bool,
    until: Until,
    /// Since when the controller is settled on the setting that it keeps.
    stands: Option<(Duration, Point)>,
    /// What each lane holds and has not settled.
    in_hand: Vec<InHand>,
    rows_max: u32,
    ceiling: u32,
    payload_bytes_max: u64,
    bytes_in_flight_max: u64,
    row_bytes: f64,
    lanes_max: u32,
}

impl Open {
    pub(crate) fn new(
        work: &Work,
        row_bytes: f64,
        deadline: Option<Duration>,
        options: &RunOptions,
    ) -> Open {
        let row_bytes = row_bytes.max(1.0);
        let payload_bytes_max = work.limits.bytes.min(options.bytes_in_flight_max);
        let rows_max = work.limits.rows;
        let lanes_max = work.limits.writers.min(LANES_MAX);
        let rows_fit = (payload_bytes_max as f64 / row_bytes / SLACK_SHARE) as u32;
        let paced = options.own_rate().map_or(u32::MAX, |rate| (rate * PACED_BATCH_SECONDS) as u32);
        let bounds = Bounds {
            rows_max: rows_max.min(rows_fit).min(paced).max(1),
            in_flight_max: lanes_max,
            bytes_max: (options.bytes_in_flight_max as f64 / SLACK_SHARE) as u64,
        };
        Open {
            table: work.index,
            next: work.rows.start,
            end: work.rows.end,
            deadline,
            controller: controller(work, options, bounds, row_bytes, deadline),
            journal: options.journal.clone(),
            freezes: options.freezes(),
            until: options.until,
            stands: None,
            in_hand: Vec::new(),
            rows_max,
            ceiling: rows_max,
            payload_bytes_max,
            bytes_in_flight_max: options.bytes_in_flight_max,
            row_bytes,
            lanes_max,
        }
    }

    /// How many lanes may work now: no more than have room for their payloads, because a lane that waits for bytes would
    /// have to give its buffer away each time.
    pub(crate) fn width(&self) -> u32 {
        self.allowed_lanes(self.controller.decision().in_flight, self.batch_rows())
    }

    fn allowed_lanes(&self, wanted: u32, batch_rows: u32) -> u32 {
        let room = self.bytes_in_flight_max / self.bytes_of(u64::from(batch_rows)).max(1);
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        wanted.min(self.lanes_max).min(room).max(1)
    }

    /// Rows of the next job, and the bytes to reserve for it.
    pub(crate) fn size(&self) -> (u64, u64) {
        let rows = u64::from(self.batch_rows()).min(self.end - self.next);
        (rows, self.bytes_of(rows))
    }

    fn bytes_of(&self, rows: u64) -> u64 {
        (rows as f64 * self.row_bytes * SLACK_SHARE + SLACK_BYTES) as u64
    }

    pub(crate) fn exhausted(&self) -> bool {
        self.next >= self.end
    }

    /// No further rows of this table.
    pub(crate) fn exhaust(&mut self) {
        self.end = self.next;
    }

    /// Whether so many rows more are within what is decided to be in flight. After a change, batches of the setting before
    /// are still out: with those of the new one they could be more than either, and a server can refuse that.
    pub(crate) fn has_room(&self, rows: u64) -> bool {
        let out = self.in_hand.iter().filter(|held| held.rows > 0 && !held.is_aside);
        let (lanes, rows_out) = out.fold((0, 0), |(lanes, sum), held| (lanes + 1, sum + held.rows));
        let width = self.width();
        // As it was decided: what estimates of a row's bytes take off a batch makes nobody wait.
        let decided = u64::from(self.controller.decision().batch_rows) * u64::from(width);
        lanes == 0 || (lanes < width && rows_out + rows <= decided)
    }

    /// A lane has lost its connection: nobody waits for what it holds.
    pub(crate) fn lay_aside(&mut self, lane: usize) {
        if let Some(held) = self.in_hand.get_mut(lane) {
            held.is_aside = true;
        }
    }

    /// Hands rows to a lane.
    pub(crate) fn hand_out(&mut self, lane: usize, rows: u64) -> std::ops::Range<u64> {
        if self.in_hand.len() <= lane {
            self.in_hand.resize(lane + 1, InHand::default());
        }
        let held = &mut self.in_hand[lane];
        *held = InHand { rows: held.rows + rows, is_aside: false };
        let from = self.next;
        self.next += rows;
        from..self.next
    }

    /// A lane has settled rows, or gives them back.
    pub(crate) fn take_from_hand(&mut self, lane: usize, rows: u64) {
        self.in_hand[lane].rows -= rows;
    }

    /// What a lane still holds.
    pub(crate) fn in_hand(&self, lane: usize) -> u64 {
        self.in_hand.get(lane).map_or(0, |held| held.rows)
    }

    /// A payload has been made.
    pub(crate) fn measured(&mut self, rows: u64, bytes: u64) {
        let seen = bytes as f64 / rows as f64;
        let kept = self.row_bytes * ROW_BYTES_KEPT + seen * (1.0 - ROW_BYTES_KEPT);
        self.row_bytes = kept.max(seen);
    }

    /// A payload of so many rows was too large for the server: no larger one than half of it from now on.
    pub(crate) fn too_large(&mut self, rows: u64) {
        let half = u32::try_from(rows / 2).unwrap_or(u32::MAX).max(1);
        self.ceiling = self.ceiling.min(half);
    }

    /// A single row was too large: the row was to blame, not the size of the batch that it came in.
    pub(crate) fn one_row_too_large(&mut self, whole: u64) {
        self.ceiling =
            self.ceiling.max(u32::try_from(whole).unwrap_or(u32::MAX)).min(self.rows_max);
    }

    /// The most rows that the server was not seen to refuse for their size.
    pub(crate) fn ceiling(&self) -> u32 {
        self.ceiling
    }

    /// Rows per batch, as decided and as server and budget allow.
    pub(crate) fn batch_rows(&self) -> u32 {
        self.allowed_rows(self.controller.decision().batch_rows)
    }

    fn allowed_rows(&self, wanted: u32) -> u32 {
        let fit = self.payload_bytes_max as f64 / self.row_bytes / SLACK_SHARE;
        wanted.min(self.ceiling).min(fit as u32).max(1)
    }

    /// The server refused another connection.
    pub(crate) fn cap_lanes(&mut self, lanes: u32) {
        self.lanes_max = self.lanes_max.min(lanes.max(1));
    }

    /// Tells the controller; whether it decided something, be it only to stay.
    pub(crate) fn observe(&mut self, seen: &Observation) -> bool {
        let decided = decisions::observe(&mut *self.controller, seen);
        if let Some(journal) = &self.journal {
            journal.add(Entry::Seen(*seen, self.controller.decision().clone()));
        }
        decided
    }

    /// Tells the controller what the server counted; whether it decided something.
    pub(crate) fn count(&mut self, seen: &Counters) -> bool {
        let before = self.controller.decision().number;
        self.controller.count(seen);
        let decision = self.controller.decision();
        if let Some(journal) = &self.journal {
            journal.add(Entry::Counted(*seen, decision.clone()));
        }
        decision.number != before
    }

    /// Hands out no more rows if the controller is what ends this table and is sure now; whether it did.
    pub(crate) fn end_if_sure(&mut self, at: Duration) -> bool {
        match self.until {
            Until::Amount => return false,
            Until::Settled => {}
        }
        let kept = self.controller.kept();
        match (self.controller.state(), self.stands) {
            (State::Exploring | State::Pinned, _) => self.stands = None,
            (State::Settled | State::Frozen, Some((_, point))) if point == kept => {}
            (State::Settled | State::Frozen, _) => self.stands = Some((at, kept)),
        }
        let sure = self.stands.is_some_and(|(since, _)| at >= since + SURE_AFTER);
        if sure {
            self.exhaust();
        }
        sure
    }

    /// The setting that the controller keeps, as server and budget allow; what is in force can be a trial.
    pub(crate) fn kept(&self) -> Point {
        let Point { batch_rows, in_flight } = self.controller.kept();
        let batch_rows = self.allowed_rows(batch_rows);
        Point { batch_rows, in_flight: self.allowed_lanes(in_flight, batch_rows) }
    }

    /// Freezes the controller if that is wanted and now is the time; whether it did.
    pub(crate) fn freeze(&mut self) -> bool {
        let settled = matches!(self.controller.decision().reason, Reason::Settled { .. });
        let now = self.freezes && settled;
        if now {
            self.freezes = false;
            self.controller.freeze();
            if let Some(journal) = &self.journal {
                journal.add(Entry::Frozen(self.controller.decision().clone()));
            }
        }
        now
    }
}

fn controller(
    work: &Work,
    options: &RunOptions,
    bounds: Bounds,
    row_bytes: f64,
    deadline: Option<Duration>,
) -> Box<dyn Controller> {
    let given = |setting: Setting| match setting {
        Setting::Auto | Setting::AutoFreeze => None,
        Setting::Fixed(number) => Some(number),
    };
    match (given(options.batch), given(options.in_flight)) {
        (Some(batch_rows), Some(in_flight)) => Box::new(Fixed::new(batch_rows, in_flight)),
        (batch_rows, in_flight) => {
            let plain = ExplorerOptions::new(bounds, row_bytes);
            let guess = work.guess.map(|guess| Point {
                batch_rows: guess.rows_of(row_bytes),
                in_flight: guess.writers,
            });
            let explorer = ExplorerOptions {
                batch_rows,
                in_flight,
                objective: objective(options),
                guess: guess.unwrap_or(plain.guess),
                end: end(work, options, deadline),
                ..plain
            };
            if let Some(journal) = &options.journal {
                journal.add(Entry::Opened(work.table.name.to_string(), explorer));
            }
            Box::new(Explorer::new(explorer))
        }
    }
}

/// When the table will be full. A run that is for the controller's answer alone looks on to its end.
fn end(work: &Work, options: &RunOptions, deadline: Option<Duration>) -> End {
    match options.until {
        Until::Settled => End::default(),
        Until::Amount => End { at: deadline, rows: (!work.open_ended).then(|| work.len()) },
    }
}

/// What the controller is to look for.
pub(crate) fn objective(options: &RunOptions) -> control::Objective {
    match options.objective {
        Objective::Throughput => control::Objective::Throughput,
        Objective::Knee => control::Objective::Knee,
        Objective::P99Below(limit) => control::Objective::P99Below(limit.0),
    }
}
