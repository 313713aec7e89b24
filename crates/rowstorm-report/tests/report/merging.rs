//! Shards as one record.

use proptest::prelude::*;
use rowstorm_report::{
    MergeError, RangeDone, Rows, RunRecord, Second, Shard, TableRows, Verdict, merge,
};

use crate::fixtures;

/// Shard `index` of `count`, started `late` seconds after noon, ten seconds of `rate`.
fn shard(index: u32, count: u32, late: u32, rate: u64) -> RunRecord {
    let rows = rate * 10;
    let rows = Rows { planned: rows, accepted: rows, audited: Some(rows), ..Rows::default() };
    let from = u64::from(index - 1) * 10_000;
    RunRecord {
        started_at: format!("2026-11-21T12:00:{late:02}Z"),
        shard: Some(Shard { index, count }),
        tables: vec![TableRows { table: "cpu".into(), rows: rows.clone(), before: 0 }],
        ranges_done: vec![RangeDone { table: "cpu".into(), from, to: from + rows.planned }],
        series: (1..=10)
            .map(|at| Second { at_s: f64::from(at), rows: rate, in_flight: 2, ..Second::default() })
            .collect(),
        rows,
        seconds: 10.0,
        rows_per_second: rate as f64,
        ..fixtures::tuned()
    }
}

#[test]
fn rates_add_up_over_the_time_in_which_all_ran() {
    let merged = merge(&[shard(2, 2, 3, 500), shard(1, 2, 0, 1000)]).unwrap();
    assert_eq!((merged.rows.planned, merged.rows.audited), (15_000, Some(15_000)));
    assert!((merged.seconds - 13.0).abs() < 1e-9 && (merged.rows_per_second - 1500.0).abs() < 1e-9);
    assert_eq!(merged.host["merged"], "2 shards; rate over the 7.00s in which all ran");
    let rows: Vec<u64> = merged.series.iter().map(|second| second.rows).collect();
    assert_eq!(rows, [1000, 1000, 1000, 1500, 1500, 1500, 1500, 1500, 1500, 1500, 500, 500, 500]);
    assert_eq!((merged.series[5].in_flight, merged.series[0].in_flight), (4, 2));
    assert_eq!(merged.started_at, "2026-11-21T12:00:00Z");
    assert_eq!((merged.ended.as_str(), merged.shard, merged.verified), ("done", None, Some(true)));
    assert_eq!(merged.latency_ms.count(), 2 * fixtures::tuned().latency_ms.count());
    let whole = RangeDone { table: "cpu".into(), from: 0, to: 15_000 };
    assert_eq!(merged.ranges_done, [whole]);
    assert_eq!(Verdict::of(&merged).claim, "every row counted in the database");
}

#[test]
fn shards_one_after_the_other_claim_no_sum_of_rates() {
    let merged = merge(&[shard(1, 2, 0, 1000), shard(2, 2, 20, 1000)]).unwrap();
    assert!((merged.rows_per_second - 20_000.0 / 30.0).abs() < 1e-9, "{}", merged.rows_per_second);
    assert!(merged.host["merged"].contains("hardly ran together"));
}

#[test]
fn a_missing_shard_is_named_and_the_whole_is_no_success() {
    let merged = merge(&[shard(1, 4, 0, 1000), shard(3, 4, 0, 1000)]).unwrap();
    assert_eq!(merged.ended, "failed");
    assert_eq!(merged.failure.as_deref(), Some("of 4 shards these are missing: 2, 4"));
}

#[test]
fn what_was_not_one_run_is_refused() {
    let one = || shard(1, 2, 0, 1000);
    let other = RunRecord { fingerprint: "x".into(), ..shard(2, 2, 0, 1000) };
    let error = merge(&[one(), other]).unwrap_err().to_string();
    assert_eq!(
        error,
        "record 2 is of another run: its fingerprint is x, and that of the first is 8f3a6c2d19b7e045"
    );
    let seed = RunRecord { seed: 7, ..shard(2, 2, 0, 1000) };
    assert!(matches!(merge(&[one(), seed]), Err(MergeError::Different { what: "seed", .. })));
    let split = shard(2, 3, 0, 1000);
    assert!(matches!(
        merge(&[one(), split]),
        Err(MergeError::Different { what: "number of shards", .. })
    ));
    assert_eq!(merge(&[one(), one()]), Err(MergeError::Twice { index: 1 }));
    let when = RunRecord { started_at: "noon".into(), ..shard(2, 2, 0, 1000) };
    assert_eq!(merge(&[one(), when]), Err(MergeError::Start { record: 2, text: "noon".into() }));
}

proptest! {
    /// No row is lost by laying seconds over another clock, and the order of the files does not matter.
    #[test]
    fn no_row_is_lost_between_clocks(
        starts in prop::collection::vec((0_u32..50, 1_u64..100_000), 1..6),
        turn in 0_usize..6,
    ) {
        let count = starts.len() as u32;
        let mut records: Vec<RunRecord> = starts
            .iter()
            .zip(1..)
            .map(|((late, rate), index)| shard(index, count, *late, *rate))
            .collect();
        // Starts between seconds, too.
        records[0].started_at = records[0].started_at.replace('Z', ".37Z");
        let merged = merge(&records).expect("they fit together");
        let rows: u64 = merged.series.iter().map(|second| second.rows).sum();
        prop_assert_eq!(rows, merged.rows.planned);
        let turned = turn % records.len();
        records.rotate_left(turned);
        let again = merge(&records).expect("they fit together");
        prop_assert_eq!(&again.rows, &merged.rows);
        prop_assert_eq!(again.started_at, merged.started_at);
        prop_assert!((again.rows_per_second - merged.rows_per_second).abs() < 1e-6);
    }
}
