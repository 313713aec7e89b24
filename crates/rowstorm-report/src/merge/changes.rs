//! The changes of all shards: each has streams of its own, so accounts and states add up.

use std::collections::BTreeMap;

use crate::changes::{
    ChangeKind, ChangeQuery, ChangeRows, ChangeSchedule, ChangeStage, ChangeTable, Changes,
    TableKind, Transactions,
};
use crate::record::Latency;

/// All shards' changes as one; `None` if there are none.
///
/// Rates are added up: shards run at once. What the database counts is not known, because each shard writes into the
/// same tables: `rowstorm verify` of the merged record says it.
pub(super) fn merge<'a>(parts: impl Iterator<Item = &'a Changes>) -> Option<Changes> {
    let parts: Vec<&Changes> = parts.collect();
    let first = *parts.first()?;
    let sum = |of: fn(&Changes) -> f64| parts.iter().map(|part| of(part)).sum::<f64>();
    Some(Changes {
        // As of loads: of several controllers there is no one story.
        tuning: None,
        in_flight: parts.iter().map(|part| part.in_flight).sum(),
        pipeline: parts.iter().map(|part| part.pipeline).max().unwrap_or_default(),
        rows: add(parts.iter().map(|part| &part.rows)),
        tables: tables(&parts),
        kinds: kinds(&parts),
        queries: queries(&parts),
        transactions: transactions(&parts),
        seconds: parts.iter().map(|part| part.seconds).fold(0.0, f64::max),
        changes_per_second: sum(|part| part.changes_per_second),
        reads_per_second: sum(|part| part.reads_per_second),
        schedule: schedule(&parts),
        stages: stages(&parts),
        series: Vec::new(),
        ranges_done: streams(&parts, |part| &part.ranges_done),
        resumed_from: streams(&parts, |part| &part.resumed_from),
        in_doubt: parts.iter().flat_map(|part| part.in_doubt.clone()).collect(),
        replayed: parts.iter().flat_map(|part| part.replayed.clone()).collect(),
        // Each shard would have seen the others' events.
        cdc: None,
        ..first.clone()
    })
}

fn add<'a>(rows: impl Iterator<Item = &'a ChangeRows>) -> ChangeRows {
    let mut sum = ChangeRows::default();
    rows.for_each(|rows| sum += *rows);
    sum
}

fn tables(parts: &[&Changes]) -> Vec<ChangeTable> {
    let mut tables: Vec<ChangeTable> = Vec::new();
    for table in parts.iter().flat_map(|part| &part.tables) {
        let known = tables.iter_mut().find(|known| known.table == table.table);
        let Some(known) = known else {
            tables.push(ChangeTable { expected: None, audited: None, ..table.clone() });
            continue;
        };
        for kind in &table.kinds {
            match known.kinds.iter_mut().find(|known| known.kind == kind.kind) {
                Some(known) => known.rows += kind.rows,
                None => known.kinds.push(TableKind::clone(kind)),
            }
        }
    }
    tables
}

fn kinds(parts: &[&Changes]) -> Vec<ChangeKind> {
    let mut words: Vec<&str> = Vec::new();
    for kind in parts.iter().flat_map(|part| &part.kinds) {
        if !words.contains(&kind.kind.as_str()) {
            words.push(&kind.kind);
        }
    }
    let of = |word: &str| {
        let same = || parts.iter().flat_map(|part| &part.kinds).filter(|kind| kind.kind == word);
        ChangeKind {
            kind: word.to_owned(),
            rows: same().map(|kind| kind.rows).sum(),
            service_ms: Latency::merge(same().map(|kind| &kind.service_ms)),
            response_ms: Latency::merge(same().map(|kind| &kind.response_ms)),
        }
    };
    words.into_iter().map(of).collect()
}

/// Every shard has the same mix.
fn queries(parts: &[&Changes]) -> Vec<ChangeQuery> {
    let mut places: BTreeMap<usize, Vec<&ChangeQuery>> = BTreeMap::new();
    for query in parts.iter().flat_map(|part| &part.queries) {
        places.entry(query.entry).or_default().push(query);
    }
    let one = |same: Vec<&ChangeQuery>| ChangeQuery {
        answered: same.iter().map(|query| query.answered).sum(),
        refused: same.iter().map(|query| query.refused).sum(),
        rows: same.iter().map(|query| query.rows).sum(),
        service_ms: Latency::merge(same.iter().map(|query| &query.service_ms)),
        response_ms: Latency::merge(same.iter().map(|query| &query.response_ms)),
        ..same[0].clone()
    };
    places.into_values().map(one).collect()
}

fn transactions(parts: &[&Changes]) -> Transactions {
    let each = parts.iter().map(|part| &part.transactions);
    each.fold(Transactions::default(), |sum, part| Transactions {
        committed: sum.committed + part.committed,
        rolled_back: sum.rolled_back + part.rolled_back,
        rolled_back_rows: sum.rolled_back_rows + part.rolled_back_rows,
        held: sum.held + part.held,
        retries: sum.retries + part.retries,
    })
}

fn schedule(parts: &[&Changes]) -> Option<ChangeSchedule> {
    let each: Vec<&ChangeSchedule> =
        parts.iter().filter_map(|part| part.schedule.as_ref()).collect();
    let first = *each.first()?;
    Some(ChangeSchedule {
        target_per_second: each.iter().map(|one| one.target_per_second).sum(),
        achieved_per_second: each.iter().map(|one| one.achieved_per_second).sum(),
        lag_ms: Latency::merge(each.iter().map(|one| &one.lag_ms)),
        late: each.iter().map(|one| one.late).sum(),
        skipped: each.iter().map(|one| one.skipped).sum(),
        left: each.iter().map(|one| one.left).sum(),
        ..first.clone()
    })
}

/// Stages by their place: each shard has all of them.
fn stages(parts: &[&Changes]) -> Vec<ChangeStage> {
    let mut places: BTreeMap<usize, Vec<&ChangeStage>> = BTreeMap::new();
    for part in parts {
        for (at, stage) in part.stages.iter().enumerate() {
            places.entry(at).or_default().push(stage);
        }
    }
    let one = |same: Vec<&ChangeStage>| ChangeStage {
        from_s: same[0].from_s,
        seconds: same.iter().map(|stage| stage.seconds).fold(0.0, f64::max),
        target_per_second: same.iter().map(|stage| stage.target_per_second).sum(),
        achieved_per_second: same.iter().map(|stage| stage.achieved_per_second).sum(),
        response_ms: Latency::merge(same.iter().map(|stage| &stage.response_ms)),
        lag_ms: Latency::merge(same.iter().map(|stage| &stage.lag_ms)),
        skipped: same.iter().map(|stage| stage.skipped).sum(),
        errors: same.iter().map(|stage| stage.errors).sum(),
    };
    places.into_values().map(one).collect()
}

/// A stream is one shard's; the others have 0.
fn streams(parts: &[&Changes], of: fn(&Changes) -> &Vec<u64>) -> Vec<u64> {
    let streams = parts.iter().map(|part| of(part).len()).max().unwrap_or(0);
    (0..streams)
        .map(|at| parts.iter().filter_map(|part| of(part).get(at)).copied().max().unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_streams_and_accounts_come_together() {
        let part = |ranges_done: Vec<u64>, planned| Changes {
            ranges_done,
            rows: ChangeRows { planned, matched: planned, ..ChangeRows::default() },
            changes_per_second: 10.0,
            tables: vec![ChangeTable {
                table: "t".into(),
                kinds: vec![TableKind { kind: "insert".into(), rows: ChangeRows::default() }],
                ..ChangeTable::default()
            }],
            ..Changes::default()
        };
        let (one, other) = (part(vec![5, 0, 7, 0], 12), part(vec![0, 6, 0, 8], 14));
        let merged = merge([&one, &other].into_iter()).unwrap();
        assert_eq!(merged.ranges_done, [5, 6, 7, 8]);
        assert_eq!((merged.rows.planned, merged.changes_per_second), (26, 20.0));
        assert_eq!((merged.tables.len(), merged.tables[0].kinds.len()), (1, 1));
        assert_eq!(merge([].into_iter()), None);
    }
}
