//! The laws of the explorer: whatever is seen, in whatever order.

use std::time::Duration;

use proptest::prelude::*;
use rowstorm_control::{
    Bounds, Controller, Counters, Decision, Direction, End, Explorer, ExplorerOptions, Objective,
    Observation, Point, Reason, State, Verdict,
};

const ROW_BYTES: u64 = 100;

fn options(rows_max: u32, in_flight_max: u32) -> ExplorerOptions {
    let bounds = Bounds { rows_max, in_flight_max, bytes_max: 256 << 20 };
    ExplorerOptions::new(bounds, ROW_BYTES as f64)
}

fn seen(second: u64, verdict: Verdict) -> Observation {
    Observation {
        at: Duration::from_secs(second),
        latency: Duration::from_millis(10),
        rows: 1_000,
        bytes: 1_000 * ROW_BYTES,
        in_flight: 1,
        decision: 0,
        verdict,
    }
}

#[test]
fn an_old_setting_teaches_nothing() {
    let mut explorer = Explorer::new(options(50_000, 32));
    let before = explorer.decision().clone();
    for step in 0..1_000 {
        explorer.observe(&Observation { decision: before.number + 1, ..seen(step, Verdict::Done) });
        explorer.observe(&Observation { decision: before.number + 1, ..seen(step, Verdict::Busy) });
    }
    assert_eq!(*explorer.decision(), before);
}

#[test]
fn a_busy_server_gets_fewer_lanes_and_then_smaller_batches() {
    let start = Some(Point { batch_rows: 1_000, in_flight: 2 });
    let mut explorer = Explorer::new(ExplorerOptions { start, ..options(50_000, 32) });
    let mut sizes = Vec::new();
    for step in 0..40 {
        let number = explorer.decision().number;
        let busy = Observation { decision: number, ..seen(step, Verdict::Busy) };
        let decision = explorer.observe(&busy);
        sizes.push((decision.in_flight, decision.batch_rows));
    }
    assert_eq!(sizes[..3], [(1, 1_000), (1, 500), (1, 250)]);
    assert_eq!(sizes.last(), Some(&(1, 1)));
}

#[test]
fn a_size_that_was_too_large_is_never_tried_again() {
    let mut explorer = Explorer::new(options(50_000, 32));
    explorer.observe(&Observation { rows: 5_000, ..seen(0, Verdict::TooLarge) });
    for batch in 1..20_000u64 {
        let sent = explorer.decision().clone();
        assert!(sent.batch_rows <= 2_500, "{sent:?}");
        // Every batch takes the same time: larger ones would pay.
        explorer.observe(&Observation {
            at: Duration::from_millis(batch * 5),
            rows: sent.batch_rows,
            decision: sent.number,
            ..seen(0, Verdict::Done)
        });
    }
    assert!(explorer.kept().batch_rows > 2_000, "{:?}", explorer.kept());
}

#[test]
fn a_server_that_refuses_quickly_is_not_a_fast_one() {
    let mut explorer = Explorer::new(options(50_000, 32));
    let start = explorer.decision().clone();
    for step in 0..10_000u64 {
        let number = explorer.decision().number;
        explorer.observe(&Observation {
            at: Duration::from_millis(step),
            latency: Duration::from_micros(10),
            decision: number,
            ..seen(0, Verdict::Busy)
        });
        assert!(explorer.decision().batch_rows <= start.batch_rows);
        assert!(explorer.decision().in_flight <= start.in_flight);
    }
}

#[test]
fn a_frozen_explorer_stays_but_gives_way() {
    let mut explorer = Explorer::new(options(50_000, 32));
    let kept = explorer.kept();
    explorer.freeze();
    for batch in 1..5_000u64 {
        let number = explorer.decision().number;
        let at = Duration::from_millis(batch * 5);
        explorer.observe(&Observation { at, decision: number, ..seen(0, Verdict::Done) });
        assert_eq!((explorer.kept(), explorer.state()), (kept, State::Frozen));
    }
    let number = explorer.decision().number;
    explorer.observe(&Observation { decision: number, ..seen(30, Verdict::Busy) });
    assert!(explorer.decision().in_flight < kept.in_flight);
    assert_eq!(explorer.state(), State::Frozen);
}

/// A server that works on one batch after another: 20 µs for a row of a small batch, 10 ms and 2 µs a row for one of 5,000 and
/// more. What is sent into the empty table, in the first moment, takes a fortieth of that.
fn seconds_of(sent_at: f64, sent: &Decision) -> f64 {
    let rows = f64::from(sent.batch_rows);
    let alone = if rows >= 5_000.0 { 0.010 + rows * 2e-6 } else { rows * 20e-6 };
    let usual = alone * f64::from(sent.in_flight);
    if sent_at < 0.15 { usual / 40.0 } else { usual }
}

/// A server that works on one batch after another: 4 µs a row, 5 µs from 3,000 rows on, 3.5 µs from
/// 9,000 rows on.
fn seconds_beyond_a_hill(_sent_at: f64, sent: &Decision) -> f64 {
    let micros = match sent.batch_rows {
        0..3_000 => 4.0,
        3_000..9_000 => 5.0,
        9_000.. => 3.5,
    };
    f64::from(sent.batch_rows) * f64::from(sent.in_flight) * micros * 1e-6
}

/// Sends batches until that second, with as many lanes as are decided; lanes that are no longer wanted rest.
fn drive(explorer: &mut Explorer, seconds: f64, seconds_of: fn(f64, &Decision) -> f64) {
    let mut batches = 0u64;
    // What is out: when it is answered, how long it took, and under which decision it was sent.
    let mut out: Vec<(f64, f64, Decision)> = Vec::new();
    let mut now = 0.0;
    while now < seconds {
        while out.len() < explorer.decision().in_flight as usize {
            let sent = explorer.decision().clone();
            // A little apart, so that no two are answered in the same moment.
            let latency = seconds_of(now, &sent) * (1.0 + 0.01 * (batches % 7) as f64);
            out.push((now + latency, latency, sent));
            batches += 1;
        }
        out.sort_by(|left, right| right.0.total_cmp(&left.0));
        let (at, latency, sent) = out.pop().expect("a lane at least is at work");
        now = at;
        explorer.observe(&Observation {
            at: Duration::from_secs_f64(at),
            latency: Duration::from_secs_f64(latency),
            rows: sent.batch_rows,
            bytes: u64::from(sent.batch_rows) * ROW_BYTES,
            in_flight: out.len() as u32 + 1,
            decision: sent.number,
            verdict: Verdict::Done,
        });
    }
}

#[test]
fn a_first_slice_that_was_too_good_does_not_beat_the_leap_for_good() {
    let mut explorer = Explorer::new(options(50_000, 4));
    drive(&mut explorer, 10.0, seconds_of);
    let kept = explorer.kept();
    assert!(kept.batch_rows >= 10_000, "{kept}: {:?}", explorer.decision());
}

#[test]
fn with_one_lane_only_the_rows_are_tried() {
    let mut explorer = Explorer::new(options(50_000, 1));
    let (mut now, mut tried) = (0.0, 0);
    while now < 60.0 {
        let sent = explorer.decision().clone();
        let seconds = 0.005 + f64::from(sent.batch_rows) * 2e-6;
        now += seconds;
        let before = sent.number;
        let decision = explorer.observe(&Observation {
            at: Duration::from_secs_f64(now),
            latency: Duration::from_secs_f64(seconds),
            rows: sent.batch_rows,
            bytes: u64::from(sent.batch_rows) * ROW_BYTES,
            decision: sent.number,
            ..seen(0, Verdict::Done)
        });
        if let Reason::Try { direction, .. } = decision.reason
            && decision.number > before
        {
            use Direction::{Leap, LessRows, MoreRows};
            assert!(matches!(direction, LessRows | Leap | MoreRows), "{direction:?}");
            tried += 1;
        }
    }
    assert!(tried > 0);
}

/// A server that works on four batches at a time, and then needs three times as long for each: more lanes only make its queue longer.
#[test]
fn a_server_that_has_become_slower_is_asked_for_less_at_first() {
    let start = Some(Point { batch_rows: 2_000, in_flight: 8 });
    let mut explorer = Explorer::new(ExplorerOptions { start, ..options(2_000, 8) });
    let (mut now, mut first) = (0.0, None);
    while now < 200.0 && first.is_none() {
        let sent = explorer.decision().clone();
        let slower = if now < 100.0 { 1.0 } else { 3.0 };
        let work = slower * (0.005 + f64::from(sent.batch_rows) * 5e-6);
        let seconds = work / f64::from(sent.in_flight.min(4));
        now += seconds;
        let before = sent.number;
        let decision = explorer
            .observe(&Observation {
                at: Duration::from_secs_f64(now),
                latency: Duration::from_secs_f64(seconds * f64::from(sent.in_flight)),
                rows: sent.batch_rows,
                bytes: u64::from(sent.batch_rows) * ROW_BYTES,
                in_flight: sent.in_flight,
                decision: sent.number,
                verdict: Verdict::Done,
            })
            .clone();
        if let Reason::Try { direction, .. } = decision.reason
            && matches!(explorer.overtaken(), Some(Reason::Changed { .. }))
            && decision.number > before
        {
            first = Some(direction);
        }
    }
    let less = matches!(first, Some(Direction::LessInFlight | Direction::LessRows));
    assert!(less && now > 100.0, "{first:?} after {now} s");
}

/// A server that warms up: a row takes half as long after every further 0.3 s, for 2.5 s; nothing else matters.
fn seconds_of_a_cold_server(sent_at: f64, sent: &Decision) -> f64 {
    let micros = 0.5 * 2f64.powf((2.5 - sent_at).max(0.0) / 0.3);
    f64::from(sent.batch_rows) * f64::from(sent.in_flight) * micros * 1e-6
}

#[test]
fn a_start_that_was_carried_too_far_tries_what_is_good_elsewhere_first() {
    let kept_after = |seconds: f64| {
        let mut explorer = Explorer::new(options(100_000, 64));
        drive(&mut explorer, seconds, seconds_of_a_cold_server);
        explorer.kept()
    };
    let (carried, kept) = (kept_after(3.0), kept_after(20.0));
    assert!(carried.footprint() > 200_000.0, "{carried}");
    assert!(kept.footprint() <= 40_000.0, "{carried}, then {kept}");
}

/// A server to which all sizes are the same: every doubling of both makes it four times as fast.
fn seconds_of_a_wide_server(_sent_at: f64, _sent: &Decision) -> f64 {
    0.05
}

#[test]
fn a_start_whose_steps_clearly_pay_takes_four_batches_for_each() {
    let mut explorer = Explorer::new(options(1_000_000, 4096));
    drive(&mut explorer, 0.65, seconds_of_a_wide_server);
    let kept = explorer.kept();
    assert!(kept.batch_rows >= 8_000 && kept.in_flight >= 32, "{kept}");
}

/// A server that takes three times as long for a row of a batch of more than 4,000.
fn seconds_before_a_cliff(_sent_at: f64, sent: &Decision) -> f64 {
    let micros = if sent.batch_rows > 4_000 { 30.0 } else { 10.0 };
    0.01 + f64::from(sent.batch_rows) * f64::from(sent.in_flight) * micros * 1e-6
}

#[test]
fn what_loses_by_far_is_left_after_a_few_batches() {
    let given = Some(1);
    let start = Some(Point { batch_rows: 3_000, in_flight: 1 });
    let mut explorer =
        Explorer::new(ExplorerOptions { in_flight: given, start, ..options(50_000, 1) });
    let (mut now, mut beyond, mut looks) = (0.0, 0, Vec::new());
    while now < 60.0 {
        let sent = explorer.decision().clone();
        let latency = seconds_before_a_cliff(now, &sent);
        now += latency;
        explorer.observe(&Observation {
            at: Duration::from_secs_f64(now),
            latency: Duration::from_secs_f64(latency),
            rows: sent.batch_rows,
            bytes: u64::from(sent.batch_rows) * ROW_BYTES,
            in_flight: 1,
            decision: sent.number,
            verdict: Verdict::Done,
        });
        let is_tried = matches!(sent.reason, Reason::Try { .. });
        beyond += u32::from(is_tried && sent.batch_rows > 4_000);
        if beyond > 0 && explorer.decision().number != sent.number {
            looks.push(std::mem::take(&mut beyond));
        }
    }
    assert!(!looks.is_empty() && looks.iter().all(|batches| *batches <= 20), "{looks:?}");
}

/// A server of two workers to which every batch is 2 s of work, and a row 50 µs.
fn seconds_of_a_slow_server(_sent_at: f64, sent: &Decision) -> f64 {
    let work = 2.0 + f64::from(sent.batch_rows) * 50e-6;
    work * (f64::from(sent.in_flight) / 2.0).max(1.0)
}

/// The same, four times as fast.
fn seconds_of_a_less_slow_server(sent_at: f64, sent: &Decision) -> f64 {
    seconds_of_a_slow_server(sent_at, sent) / 4.0
}

#[test]
fn a_slow_server_is_looked_at_for_longer_before_it_settles() {
    let state_after = |seconds: f64| {
        let start = Some(Point { batch_rows: 500, in_flight: 2 });
        let mut explorer = Explorer::new(ExplorerOptions { start, ..options(1_000_000, 16) });
        drive(&mut explorer, seconds, seconds_of_a_less_slow_server);
        explorer.state()
    };
    assert_eq!(state_after(90.0), State::Exploring);
    assert_eq!(state_after(150.0), State::Settled);
}

/// Doubling the rows gains nine tenths there for long, and makes no batch longer.
#[test]
fn a_server_whose_batches_take_two_seconds_whatever_their_rows_gets_large_ones_soon() {
    let mut explorer = Explorer::new(options(1_000_000, 16));
    drive(&mut explorer, 90.0, seconds_of_a_slow_server);
    let kept = explorer.kept();
    assert!(kept.batch_rows >= 16_000, "{kept}: {:?}", explorer.decision());
}

/// What is known of a kind of server is looked at early.
#[test]
fn the_start_looks_where_it_is_told_to() {
    let kept_with = |guess: Point| {
        let mut explorer = Explorer::new(ExplorerOptions { guess, ..options(100_000, 4) });
        drive(&mut explorer, 2.5, seconds_of);
        explorer.kept()
    };
    let plain = kept_with(options(100_000, 4).guess);
    let told = kept_with(Point { batch_rows: 30_000, in_flight: 1 });
    assert!(plain.batch_rows < 25_000 && told.batch_rows >= 30_000, "{plain}, and told {told}");
}

/// A server that works on one batch after another, each for 0.4 s.
fn seconds_one_by_one(_sent_at: f64, sent: &Decision) -> f64 {
    0.4 * f64::from(sent.in_flight)
}

#[test]
fn a_guess_that_takes_too_long_and_cannot_have_fewer_rows_is_left_out() {
    let guess = Point { batch_rows: 1_000, in_flight: 64 };
    let given = ExplorerOptions { batch_rows: Some(1_000), guess, ..options(100_000, 64) };
    let mut explorer = Explorer::new(given);
    drive(&mut explorer, 20.0, seconds_one_by_one);
    assert!(explorer.kept().in_flight <= 4, "{}", explorer.kept());
}

/// One slice asks for a seventh, and pairs see less than that.
#[test]
fn a_leap_that_gains_an_eighth_is_found_by_pairs() {
    let mut explorer = Explorer::new(options(50_000, 4));
    drive(&mut explorer, 20.0, seconds_beyond_a_hill);
    let kept = explorer.kept();
    assert!(kept.batch_rows >= 9_000, "{kept}: {:?}", explorer.decision());
}

/// What a law is tried with: gaps of time, bytes of a row, age of the decision, verdicts, and the server's counters.
fn history() -> impl Strategy<Value = Vec<(u64, u64, u64, Option<Verdict>)>> {
    let verdict = prop_oneof![
        40 => Just(Some(Verdict::Done)),
        1 => Just(Some(Verdict::Busy)),
        1 => Just(Some(Verdict::TooLarge)),
        1 => Just(Some(Verdict::Failed)),
        2 => Just(None),
    ];
    proptest::collection::vec((0u64..400, 10u64..400, 0u64..2, verdict), 1..1_500)
}

fn any_options() -> impl Strategy<Value = ExplorerOptions> {
    let objective = prop_oneof![
        Just(Objective::Throughput),
        Just(Objective::Knee),
        Just(Objective::P99Below(Duration::from_millis(50))),
    ];
    let point = || {
        (1u32..100_000, 1u32..300)
            .prop_map(|(batch_rows, in_flight)| Point { batch_rows, in_flight })
    };
    let places = (proptest::option::of(point()), point());
    let given = (proptest::option::of(1u32..100_000), proptest::option::of(1u32..64));
    let end = (proptest::option::of(0u64..100), proptest::option::of(0u64..10_000_000))
        .prop_map(|(at, rows)| End { at: at.map(Duration::from_secs), rows });
    (1u32..100_000, 1u32..64, 10_000u64..100_000_000, objective, places, given, end).prop_map(
        |(rows_max, in_flight_max, bytes_max, objective, (start, guess), given, end)| {
            ExplorerOptions {
                bounds: Bounds { rows_max, in_flight_max, bytes_max },
                bytes_per_row: ROW_BYTES as f64,
                batch_rows: given.0,
                in_flight: given.1,
                objective,
                start,
                guess,
                end,
            }
        },
    )
}

fn replay(
    options: &ExplorerOptions,
    history: &[(u64, u64, u64, Option<Verdict>)],
    mut each: impl FnMut(&Observation, &Decision, &Decision),
) -> Decision {
    let mut explorer = Explorer::new(*options);
    let mut at = Duration::ZERO;
    let mut counters = Counters::default();
    for (gap, row_bytes, age, verdict) in history {
        at += Duration::from_micros(gap * gap);
        let before = explorer.decision().clone();
        let Some(verdict) = *verdict else {
            counters.at = at;
            counters.requests += 100;
            counters.rejected += row_bytes / 40;
            explorer.count(&counters);
            continue;
        };
        let seen = Observation {
            at,
            latency: Duration::from_micros(100 + gap * 100),
            rows: before.batch_rows,
            bytes: u64::from(before.batch_rows) * row_bytes,
            decision: before.number.saturating_sub(*age),
            ..seen(0, verdict)
        };
        let after = explorer.observe(&seen).clone();
        each(&seen, &before, &after);
    }
    explorer.decision().clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bounds_are_kept_whatever_is_seen(history in history(), options in any_options()) {
        let mut row_bytes = ROW_BYTES as f64;
        let bounds = options.bounds;
        replay(&options, &history, |seen, _, after| {
            row_bytes = row_bytes.max(seen.bytes as f64 / f64::from(seen.rows));
            assert!((1..=bounds.rows_max).contains(&after.batch_rows));
            assert!((1..=bounds.in_flight_max).contains(&after.in_flight));
            let bytes = f64::from(after.batch_rows) * f64::from(after.in_flight) * row_bytes;
            let smallest = after.batch_rows == 1 && after.in_flight == 1;
            assert!(bytes <= bounds.bytes_max as f64 || smallest, "{after:?} of {row_bytes} bytes");
        });
    }

    #[test]
    fn equal_observations_give_equal_decisions(history in history(), options in any_options()) {
        let mut first = Vec::new();
        replay(&options, &history, |_, _, after| first.push(after.clone()));
        let mut second = Vec::new();
        replay(&options, &history, |_, _, after| second.push(after.clone()));
        prop_assert_eq!(first, second);
    }

    #[test]
    fn decisions_count_up_and_change_only_with_a_number(history in history(), options in any_options()) {
        replay(&options, &history, |_, before, after| {
            assert!(after.number >= before.number);
            let same = (before.batch_rows, before.in_flight) == (after.batch_rows, after.in_flight);
            assert!(same || after.number > before.number);
        });
    }

    #[test]
    fn what_is_given_is_left_alone(history in history(), options in any_options()) {
        let bounds = options.bounds;
        let fits = |rows: u32, lanes: u32| {
            f64::from(rows) * f64::from(lanes) * 400.0 <= bounds.bytes_max as f64
        };
        replay(&options, &history, |seen, _, after| {
            if let Some(lanes) = options.in_flight.filter(|lanes| fits(1, *lanes))
                && lanes <= bounds.in_flight_max
                && options.batch_rows.is_none()
            {
                assert_eq!(after.in_flight, lanes, "{seen:?}");
            }
        });
    }
}
