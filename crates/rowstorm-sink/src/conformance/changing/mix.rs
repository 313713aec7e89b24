//! Statements by hand, and the steps that all cases of changes take.

use std::sync::Arc;
use std::time::Duration;

use rowstorm_gen::changes::OpKind;
use rowstorm_gen::{Batch, ColumnData, TablePlan};

use super::super::table::{batch, ints};
use super::super::{Bed, Subject};
use crate::{Attempt, Change, Changed, Changer, End, Sink, SinkErrorKind, Statement, Transaction};

/// Places in [`mix`].
pub(super) const INSERT: usize = 0;
pub(super) const UPDATE: usize = 1;
pub(super) const DELETE: usize = 2;
pub(super) const READ: usize = 3;
pub(super) const REKEY: usize = 4;

/// A database that is busy for ever is no answer.
pub(super) const BUSY_MAX: usize = 1000;

/// An insert, an update of some columns, a delete and a read of one table.
pub(super) fn mix(table: &Arc<TablePlan>, set: &[&str]) -> Arc<[Statement]> {
    let kinds = [OpKind::Insert, OpKind::Update, OpKind::Delete, OpKind::Read];
    kinds.into_iter().map(|kind| statement(kind, table, set)).collect()
}

/// The same, and a rekey.
pub(super) fn mix_with_rekey(table: &Arc<TablePlan>, set: &[&str]) -> Arc<[Statement]> {
    let rekey = statement(OpKind::Rekey, table, &[]);
    mix(table, set).iter().cloned().chain([rekey]).collect()
}

/// One entry of a mix, as the generator makes it.
pub(super) fn statement(kind: OpKind, table: &Arc<TablePlan>, set: &[&str]) -> Statement {
    let place = |name: &&str| {
        let found = table.columns.iter().position(|column| *column.name == **name);
        found.unwrap_or_else(|| panic!("{name} is a column"))
    };
    let set = set.iter().map(place).collect();
    let places = match kind {
        OpKind::Insert => (0..table.columns.len()).collect(),
        OpKind::Update => [table.key.clone(), set].concat(),
        OpKind::Delete | OpKind::Read => table.key.clone(),
        OpKind::Rekey => [&table.key[..], &table.key].concat(),
    };
    let key =
        if kind == OpKind::Insert { table.key.clone() } else { (0..table.key.len()).collect() };
    let columns = TablePlan {
        name: Arc::clone(&table.name),
        columns: places.into_iter().map(|place| table.columns[place].clone()).collect(),
        key,
        rows: None,
        series: table.series,
        spec: table.spec.clone(),
        fingerprint: table.fingerprint,
    };
    Statement { kind, table: Arc::clone(table), columns: Arc::new(columns), query: None }
}

/// A group: columns side by side.
pub(super) fn rows(columns: Vec<ColumnData>) -> Batch {
    batch(0, columns)
}

/// A group of keys.
pub(super) fn keys(ids: impl IntoIterator<Item = i64>) -> Batch {
    rows(vec![ints(ids)])
}

pub(super) type ChangerOf<S> = <<S as Subject>::Sink as Sink>::Changer;

impl<S: Subject> Bed<S> {
    pub(super) async fn changer(&self, mix: &Arc<[Statement]>) -> ChangerOf<S> {
        self.sink.changer(mix).await.expect("a changer opens")
    }

    /// Commits groups of statements by their places in the mix.
    pub(super) async fn commit(
        &self,
        changer: &mut ChangerOf<S>,
        groups: &[(usize, &Batch)],
    ) -> Vec<Changed> {
        self.transact(changer, groups, End::Commit, Attempt::First).await
    }

    /// The same once more, as if no answer had come.
    pub(super) async fn replay(
        &self,
        changer: &mut ChangerOf<S>,
        groups: &[(usize, &Batch)],
    ) -> Vec<Changed> {
        self.transact(changer, groups, End::Commit, Attempt::Replay).await
    }

    /// Every row must be accounted for.
    pub(super) async fn transact(
        &self,
        changer: &mut ChangerOf<S>,
        groups: &[(usize, &Batch)],
        end: End,
        attempt: Attempt,
    ) -> Vec<Changed> {
        let groups: Vec<Change<'_>> = groups
            .iter()
            .map(|(statement, batch)| Change { statement: *statement, batch })
            .collect();
        answered(changer, &groups, end, attempt).await
    }
}

/// Does a transaction, and again while the database is busy: another's lock, a deadlock, a conflict with its own upkeep. Every row
/// must be accounted for.
pub(super) async fn answered<C: Changer>(
    changer: &mut C,
    groups: &[Change<'_>],
    end: End,
    attempt: Attempt,
) -> Vec<Changed> {
    let mut busy = 0;
    loop {
        let transaction = Transaction { groups, end, attempt, hold: None };
        match changer.change(transaction).await {
            Ok(answers) => {
                assert_accounted(groups, &answers);
                return answers;
            }
            Err(error) => {
                let again = matches!(error.kind, SinkErrorKind::Busy { .. }) && busy < BUSY_MAX;
                assert!(again, "the transaction is answered, not {error:?}");
                busy += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// An answer for each group, a place for each row.
pub(super) fn assert_accounted(groups: &[Change<'_>], answers: &[Changed]) {
    assert_eq!(answers.len(), groups.len(), "an answer for each group");
    for (group, answers) in groups.iter().zip(answers) {
        let rows = group.batch.len() as u64;
        assert_eq!(answers.rows(), rows, "every row is accounted for: {answers:?}");
        let classes: u64 = answers.rejected.refusals.iter().map(|refusal| refusal.count).sum();
        assert_eq!(classes, answers.rejected.count, "refusals add up: {answers:?}");
    }
}

/// All rows of all groups: matched, confirmed, missed, rejected.
pub(super) fn sum(answers: &[Changed]) -> [u64; 4] {
    answers.iter().fold([0; 4], |[matched, confirmed, missed, rejected], group| {
        [
            matched + group.matched,
            confirmed + group.confirmed,
            missed + group.missed,
            rejected + group.rejected.count,
        ]
    })
}

/// Rows that were found, rows that were not.
pub(super) fn found(matched: u64, missed: u64) -> Changed {
    Changed { matched, missed, ..Changed::default() }
}
