//! What is claimed of a run, against its accounts.

use rowstorm_report::{Counted, Rows, RunRecord, TableRows, Tone, Verdict, html, markdown};

fn record(rows: Rows) -> RunRecord {
    RunRecord { rows, ended: "done".into(), target: "sqlite:x.db".into(), ..RunRecord::default() }
}

fn claim(record: &RunRecord, tone: Tone, claim: &str) {
    let verdict = Verdict::of(record);
    assert_eq!((verdict.tone, verdict.claim.as_str()), (tone, claim));
}

#[test]
fn only_a_counted_run_is_good() {
    let rows = Rows { planned: 5, accepted: 5, ..Rows::default() };
    let counted = Rows { audited: Some(5), ..rows.clone() };
    claim(&record(counted.clone()), Tone::Good, "every row counted in the database");
    claim(&record(rows), Tone::Open, "acknowledged by the target, not counted in the database");
    let stopped = RunRecord { ended: "stopped".into(), ..record(counted.clone()) };
    claim(
        &stopped,
        Tone::Open,
        "stopped early, every row that was accepted is counted in the database",
    );
    let failed = RunRecord { failure: Some("disk full".into()), ..record(counted) };
    assert_eq!(Verdict::of(&failed).tone, Tone::Bad);
}

#[test]
fn a_run_that_stored_nothing_claims_no_count() {
    let rows = Rows { planned: 5, accepted: 5, ..Rows::default() };
    let counted = Rows { audited: Some(5), ..rows.clone() };
    // Earlier versions wrote down what the writers had counted.
    for (rows, verified) in [(rows, None), (counted, Some(true))] {
        let record = RunRecord { target: "null:postgres".into(), verified, ..record(rows) };
        claim(
            &record,
            Tone::Open,
            "generated and encoded, nothing sent: nothing was there to verify",
        );
        let tables = [html(&record, &[]), markdown(&record, &[])];
        assert!(tables.iter().all(|text| text.contains("nothing stored")), "{tables:?}");
    }
}

#[test]
fn a_count_that_disagrees_is_never_a_success() {
    let rows =
        |audited| Rows { planned: 5, accepted: 5, audited: Some(audited), ..Rows::default() };
    claim(&record(rows(4)), Tone::Bad, "the database's count disagrees: 1 rows missing");
    claim(&record(rows(7)), Tone::Bad, "the database's count disagrees: 2 rows too many");
    // The flag alone proves nothing, neither way.
    let flagged = RunRecord { verified: Some(true), ..record(rows(4)) };
    assert_eq!(Verdict::of(&flagged).tone, Tone::Bad);
    let denied = RunRecord { verified: Some(false), ..record(rows(5)) };
    assert_eq!(Verdict::of(&denied).tone, Tone::Bad);
}

#[test]
fn two_wrong_tables_do_not_make_a_right_sum() {
    let rows =
        |audited| Rows { planned: 5, accepted: 5, audited: Some(audited), ..Rows::default() };
    let table =
        |name: &str, audited| TableRows { table: name.into(), rows: rows(audited), before: 0 };
    let whole = Rows { planned: 10, accepted: 10, audited: Some(10), ..Rows::default() };
    let record = RunRecord { tables: vec![table("a", 6), table("b", 4)], ..record(whole) };
    assert_eq!(
        Verdict::of(&record).counted,
        Counted::Differs { table: "a".into(), arrived: 5, audited: 6 }
    );
}

#[test]
fn unknown_rows_leave_room_and_are_named() {
    let rows = |audited| Rows {
        planned: 9,
        accepted: 6,
        unknown: 3,
        audited: Some(audited),
        ..Rows::default()
    };
    claim(&record(rows(8)), Tone::Open, "3 unknown, of the 3 unknown rows the database counts 2");
    assert_eq!(Verdict::of(&record(rows(5))).tone, Tone::Bad);
    assert_eq!(Verdict::of(&record(rows(10))).tone, Tone::Bad);
}

#[test]
fn rows_lost_from_the_sums_are_missed() {
    let rows = Rows { planned: 9, accepted: 6, audited: Some(6), ..Rows::default() };
    claim(
        &record(rows),
        Tone::Bad,
        "the accounts do not balance by 3 rows, every row counted in the database",
    );
}

#[test]
fn rejected_rows_are_a_failure_beyond_what_was_allowed() {
    let rows =
        Rows { planned: 1000, accepted: 990, rejected: 10, audited: Some(990), ..Rows::default() };
    for (allowed, tone) in [
        ("0", Tone::Bad),
        ("9", Tone::Bad),
        ("10", Tone::Open),
        ("0.9%", Tone::Bad),
        ("1%", Tone::Open),
    ] {
        let mut record = record(rows.clone());
        record.settings.max_errors = allowed.into();
        assert_eq!(Verdict::of(&record).tone, tone, "{allowed}");
        assert!(Verdict::of(&record).claim.starts_with("10 rejected"));
    }
}
