//! What the database's own counts and sums must be.

use rowstorm_gen::schema::DataType;
use rowstorm_gen::{TablePlan, Value};
use rowstorm_report::Contradiction;
use rowstorm_sink::Audit;

/// Rows, and sums and extremes of each integer column.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    rows: u64,
    /// By column.
    columns: Vec<Option<Sum>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    sum: i128,
    ends: Option<(i64, i64)>,
}

impl Sums {
    pub(super) fn new(table: &TablePlan) -> Sums {
        let is_int = |data_type| matches!(data_type, DataType::Int(_));
        let sum = |data_type| is_int(data_type).then(Sum::default);
        let columns = table.columns.iter().map(|column| sum(column.data_type)).collect();
        Sums { rows: 0, columns }
    }

    pub(super) fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for (sum, value) in self.columns.iter_mut().zip(row) {
            if let (Some(sum), Value::Int(value)) = (sum, value) {
                sum.sum += i128::from(*value);
                let (low, high) = sum.ends.unwrap_or((*value, *value));
                sum.ends = Some((low.min(*value), high.max(*value)));
            }
        }
    }

    pub(super) fn and(mut self, other: Sums) -> Sums {
        self.rows += other.rows;
        for (sum, other) in self.columns.iter_mut().zip(other.columns) {
            if let (Some(sum), Some(other)) = (sum, other) {
                sum.sum += other.sum;
                sum.ends = match (sum.ends, other.ends) {
                    (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                    (ends, None) | (None, ends) => ends,
                };
            }
        }
        self
    }

    /// Where the database says otherwise; `skip` are columns that are not compared.
    pub(super) fn against(
        &self,
        table: &TablePlan,
        audit: &Audit,
        skip: impl Fn(usize) -> bool,
    ) -> Vec<Contradiction> {
        let mut wrong = Vec::new();
        let mut compare = |what: String, expected: Option<i128>, found: Option<i128>| {
            if expected != found {
                let said = |value: Option<i128>| {
                    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
                };
                wrong.push(Contradiction { what, expected: said(expected), found: said(found) });
            }
        };
        let rows = Some(i128::from(self.rows));
        compare("rows".to_owned(), rows, Some(i128::from(audit.rows)));
        if let Some(keys) = audit.distinct_keys {
            compare("distinct keys".to_owned(), rows, Some(i128::from(keys)));
        }
        for (place, (column, sum)) in table.columns.iter().zip(&self.columns).enumerate() {
            let found = audit.columns.iter().find(|found| *found.name == *column.name);
            let (Some(sum), Some(found)) = (sum, found) else { continue };
            if skip(place) {
                continue;
            }
            let some = sum.ends.map(|_| sum.sum);
            compare(format!("sum({})", column.name), some, found.sum);
            let (low, high) = sum.ends.unzip();
            compare(
                format!("min({})", column.name),
                low.map(Into::into),
                found.min.map(Into::into),
            );
            compare(
                format!("max({})", column.name),
                high.map(Into::into),
                found.max.map(Into::into),
            );
        }
        wrong
    }
}
