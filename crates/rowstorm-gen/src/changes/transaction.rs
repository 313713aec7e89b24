//! Which ops one COMMIT holds, and which are rolled back first.

use std::ops::Range;

use rowstorm_schema::Transaction;

use super::stream::ChangeStream;

impl ChangeStream {
    /// The ops of the transaction that holds an op, of all tables that the mix changes. Transactions of `row` and `n rows` are cut at
    /// multiples of their length, whatever is sent at once; those of `batch` at multiples of `batch`.
    ///
    /// # Panics
    /// If there is no such op, or `batch` is 0.
    pub fn transaction(&self, op: u64, batch: u64) -> Range<u64> {
        assert!(op < self.ops(), "op {op} of {}", self.ops());
        let len = match self.mix.transaction {
            Transaction::Row => 1,
            Transaction::Rows(rows) => u64::from(rows),
            Transaction::Batch => batch,
        };
        let start = op / len * len;
        start..(start + len).min(self.ops())
    }

    /// Whether the transaction that begins with an op is done once with [`Fate::RollBack`](super::Fate::RollBack) before it
    /// is done: a draw of its own for every op, below the document's `rollback`.
    ///
    /// ```
    /// use rowstorm_gen::changes::ChangePlan;
    /// use rowstorm_gen::{Plan, PlanOptions, schema};
    ///
    /// let text = "
    /// version: 1
    /// tables: { t: { key: [id], columns: { id: { type: bigint, gen: sequence } } } }
    /// changes:
    ///   mix: [ { insert: t, weight: 1 } ]
    ///   transaction: 100 rows
    ///   rollback: 0.05
    /// ";
    /// let schema = schema::Schema::parse(text, schema::Format::Yaml, "t.yaml")?;
    /// let stream = ChangePlan::new(&Plan::new(&schema, PlanOptions::default())?)?.stream(0);
    /// assert_eq!(stream.transaction(250, 1), 200..300);
    /// let rolled_back = (0..100_000).filter(|number| stream.rolls_back(number * 100)).count();
    /// assert!((4_800..5_200).contains(&rolled_back));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rolls_back(&self, first: u64) -> bool {
        self.mix.rollback > 0.0 && self.picks.named("#rollback").at(first).chance(self.mix.rollback)
    }
}
