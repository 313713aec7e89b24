//! One table of a plan: fills batches, and answers tests with rows.

use std::ops::Range;
use std::sync::Arc;

use rowstorm_schema::Table;

use crate::value::names_of;
use crate::{BATCH_ROWS_MAX, Batch, Codes, ColumnData, ColumnPlan, Row, Rows, Storage, Values};

/// One table of a [`Plan`](crate::Plan).
#[derive(Debug)]
pub struct TablePlan {
    /// The table's name.
    pub name: Arc<str>,
    /// The columns, a series' levels first.
    pub columns: Vec<ColumnPlan>,
    /// The key's columns, as places in `columns`; empty without a key.
    pub key: Vec<usize>,
    /// Rows to write; `None` is open-ended.
    pub rows: Option<u64>,
    /// The number of entities, where the table has series; else 0.
    pub series: u64,
    /// The table's part of the document: indexes and what only one database knows.
    pub spec: Table,
    /// The [plan's fingerprint](crate::Plan::fingerprint): what tells this table's rows from those of another seed or
    /// schema.
    pub fingerprint: u64,
}

impl TablePlan {
    /// Fills `batch` with a range of rows, at most [`BATCH_ROWS_MAX`](crate::BATCH_ROWS_MAX). Rows beyond
    /// [`rows`](TablePlan::rows) are filled all the same.
    ///
    /// # Panics
    /// If the range is longer.
    pub fn fill(&self, rows: Range<u64>, batch: &mut Batch) {
        assert!(rows.start <= rows.end, "the range {rows:?} runs backwards");
        assert!(
            rows.end - rows.start <= BATCH_ROWS_MAX as u64,
            "{rows:?} has more than {BATCH_ROWS_MAX} rows"
        );
        batch.rows = rows.clone();
        let run = Rows::Run(rows);
        if self.series == 0 {
            batch.series.clear();
        } else {
            run.map_ticks_into(self.series, &mut batch.series, |entity, _| entity as u32);
        }
        batch.columns.resize_with(self.columns.len(), ColumnData::default);
        for (column, out) in self.columns.iter().zip(&mut batch.columns) {
            match &column.storage {
                Storage::Series(entries) => set_series(entries, out),
                Storage::Plain | Storage::Dictionary(_) => column.rule.fill(&run, out),
            }
            debug_assert!(
                matches!(column.storage, Storage::Series(_)) || out.values.len() == run.len(),
                "`{}` was filled with {} values for {} rows",
                column.name,
                out.values.len(),
                run.len()
            );
        }
    }

    /// The values of some rows, for tests and reports: the same that [`fill`](TablePlan::fill) makes, one by one.
    ///
    /// ```
    /// use rowstorm_gen::{Plan, PlanOptions, schema};
    ///
    /// let text = "
    /// version: 1
    /// tables:
    ///   orders:
    ///     preload: 10
    ///     columns:
    ///       id:     { type: bigint, gen: sequence }
    ///       status: { type: text, gen: { one_of: [open] } }
    /// ";
    /// let schema = schema::Schema::parse(text, schema::Format::Yaml, "orders.yaml")?;
    /// let plan = Plan::new(&schema, PlanOptions::default())?;
    /// let rows = plan.table("orders")?.rows(0..3);
    /// assert_eq!(rows[2]["id"], 3);
    /// assert_eq!(rows[2]["status"], "open");
    /// assert_eq!(rows[0].to_string(), "id=1 status=open");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rows(&self, rows: Range<u64>) -> Vec<Row> {
        let mut batch = Batch::default();
        let mut all = Vec::new();
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + ROWS_STEP);
            self.fill(start..end, &mut batch);
            all.extend(self.read(&batch));
            start = end;
        }
        all
    }

    /// The rows of a batch with this table's columns, one by one, for tests and reports.
    pub fn read(&self, batch: &Batch) -> Vec<Row> {
        let names = names_of(self);
        (0..batch.len()).map(|index| Row::of(&names, batch, index)).collect()
    }
}

/// Rows that [`TablePlan::rows`] fills at a time: of the longest texts, a batch must stay below 4 GiB.
const ROWS_STEP: u64 = 64;

/// Nothing to fill: the batch's series codes stand for the column.
pub(crate) fn set_series(entries: &Arc<ColumnData>, out: &mut ColumnData) {
    out.valid = None;
    match &out.values {
        Values::Dictionary { codes: Codes::Series, entries: old } if Arc::ptr_eq(old, entries) => {}
        _ => {
            out.values = Values::Dictionary { codes: Codes::Series, entries: Arc::clone(entries) };
        }
    }
}
