//! Counting a file's rows by reading it back: CSV with the csv crate, JSON with serde_json.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rowstorm_gen::TablePlan;
use rowstorm_gen::schema::DataType;
use rowstorm_sink::{Audit, ColumnAudit, Scope, SinkError};

use crate::{FileFormat, error};

/// Counts a file.
pub(crate) fn count(
    path: &Path,
    format: FileFormat,
    table: &TablePlan,
    scope: Scope,
) -> Result<Audit, SinkError> {
    let mut tally = Tally::new(table, scope);
    match format {
        FileFormat::Csv => csv(path, &mut tally)?,
        FileFormat::JsonLines => json_lines(path, table, &mut tally)?,
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => crate::parquet::count(path, &mut tally)?,
        #[cfg(not(feature = "parquet"))]
        FileFormat::Parquet => unreachable!("no Parquet file is written without the feature"),
    }
    Ok(tally.audit)
}

fn csv(path: &Path, tally: &mut Tally) -> Result<(), SinkError> {
    let mut reader =
        csv::Reader::from_path(path).map_err(|cause| error::unreadable(path, cause))?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|cause| error::unreadable(path, cause))? {
        tally.row(|column| record[column].parse().ok());
    }
    Ok(())
}

fn json_lines(path: &Path, table: &TablePlan, tally: &mut Tally) -> Result<(), SinkError> {
    let file = File::open(path).map_err(|cause| error::unreadable(path, cause))?;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|cause| error::unreadable(path, cause))?;
        let row: serde_json::Value =
            serde_json::from_str(&line).map_err(|cause| error::unreadable(path, cause))?;
        tally.row(|column| row[&*table.columns[column].name].as_i64());
    }
    Ok(())
}

/// Counts and sums of the rows seen.
pub(crate) struct Tally {
    scope: Scope,
    ints: Vec<usize>,
    audit: Audit,
}

impl Tally {
    fn new(table: &TablePlan, scope: Scope) -> Tally {
        let ints: Vec<usize> = (0..table.columns.len())
            .filter(|column| matches!(table.columns[*column].data_type, DataType::Int(_)))
            .collect();
        let columns = ints.iter().map(|column| ColumnAudit {
            name: table.columns[*column].name.to_string(),
            sum: None,
            min: None,
            max: None,
        });
        // Files enforce no key, and remembering a billion of them takes memory: they are not counted.
        let audit = Audit { rows: 0, distinct_keys: None, columns: columns.collect() };
        Tally { scope, ints, audit }
    }

    /// Takes in one row, by its integers.
    pub(crate) fn row(&mut self, int: impl Fn(usize) -> Option<i64>) {
        if let Scope::Between { column, low, high } = self.scope
            && !int(column).is_some_and(|value| (low..=high).contains(&value))
        {
            return;
        }
        self.audit.rows += 1;
        for (column, seen) in self.ints.iter().zip(&mut self.audit.columns) {
            if let Some(value) = int(*column) {
                seen.sum = Some(seen.sum.unwrap_or(0) + i128::from(value));
                seen.min = Some(seen.min.map_or(value, |min| min.min(value)));
                seen.max = Some(seen.max.map_or(value, |max| max.max(value)));
            }
        }
    }
}
