//! What both do: the same statements in transactions of the same size.

use anyhow::bail;

/// Rows of the table that is changed: pgbench's accounts at scale 1.
pub(super) const ROWS: u64 = 100_000;

/// A stock benchmark's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workload {
    /// pgbench's: an update and a read by key, an insert into a table without one.
    SimpleUpdate,
    /// sysbench's `oltp_write_only`: an update of an indexed column and of another, a delete, an insert.
    WriteOnly,
    /// sysbench's `oltp_update_index`: an update of an indexed column.
    UpdateIndex,
}

impl Workload {
    /// The one that was asked for, or the server's first.
    pub(super) fn named(server: &str, name: Option<&str>) -> anyhow::Result<Workload> {
        match (server, name) {
            ("postgres", None | Some("simple-update")) => Ok(Workload::SimpleUpdate),
            ("mariadb" | "mysql", None | Some("write-only")) => Ok(Workload::WriteOnly),
            ("mariadb" | "mysql", Some("update-index")) => Ok(Workload::UpdateIndex),
            ("postgres", Some(other)) => bail!("--workload {other}: postgres has simple-update"),
            ("mariadb" | "mysql", Some(other)) => {
                bail!("--workload {other}: {server} has write-only and update-index")
            }
            (other, _) => {
                bail!("{other} has no stock benchmark here; say postgres, mariadb or mysql")
            }
        }
    }

    /// Rows that it changes or reads, once through.
    pub(super) fn rows(self) -> u64 {
        match self {
            Workload::SimpleUpdate => 3,
            Workload::WriteOnly => 4,
            Workload::UpdateIndex => 1,
        }
    }

    /// How often it is gone through in one transaction, where nothing is said.
    pub(super) fn updates(self) -> u64 {
        match self {
            Workload::SimpleUpdate | Workload::WriteOnly => 10,
            Workload::UpdateIndex => 1,
        }
    }

    /// The same as Rowstorm does it, `size` rows a transaction.
    pub(super) fn document(self, size: u64) -> String {
        let (tables, mix) = match self {
            Workload::SimpleUpdate => (simple_update_tables(), SIMPLE_UPDATE_MIX),
            Workload::WriteOnly => (sysbench_table(), WRITE_ONLY_MIX),
            Workload::UpdateIndex => (sysbench_table(), UPDATE_INDEX_MIX),
        };
        format!("version: 1\ntables:\n{tables}changes:\n  transaction: {size} rows\n  mix:\n{mix}")
    }
}

const SIMPLE_UPDATE_MIX: &str = "    - { update: bench_accounts, set: [abalance], weight: 1 }
    - { read: bench_accounts, weight: 1 }
    - { insert: bench_history, weight: 1 }
";
const WRITE_ONLY_MIX: &str = "    - { update: bench_rows, set: [k], weight: 1 }
    - { update: bench_rows, set: [c], weight: 1 }
    - { delete: bench_rows, pick: uniform, weight: 1 }
    - { insert: bench_rows, weight: 1 }
";
const UPDATE_INDEX_MIX: &str = "    - { update: bench_rows, set: [k], weight: 1 }\n";

/// sysbench's table.
fn sysbench_table() -> String {
    format!(
        "  bench_rows:
    key: [id]
    preload: {ROWS}
    columns:
      id:  {{ type: int, gen: sequence }}
      k:   {{ type: int, gen: {{ uniform: [1, {ROWS}] }} }}
      c:   {{ type: varchar(120), gen: {{ text: {{ bytes: 119 }} }} }}
      pad: {{ type: varchar(60), gen: {{ text: {{ bytes: 59 }} }} }}
    indexes: [ {{ on: [k] }} ]
"
    )
}

/// pgbench's tables, as far as a simple update touches them.
fn simple_update_tables() -> String {
    format!(
        "  bench_accounts:
    key: [aid]
    preload: {ROWS}
    columns:
      aid:      {{ type: int, gen: sequence }}
      bid:      {{ type: int, gen: {{ uniform: [1, 10] }} }}
      abalance: {{ type: int, gen: {{ uniform: [-5000, 5000] }} }}
      filler:   {{ type: text, gen: {{ constant: '{:84}' }} }}
  bench_history:
    columns:
      tid:   {{ type: int, gen: {{ uniform: [1, 100] }} }}
      bid:   {{ type: int, gen: {{ uniform: [1, 10] }} }}
      aid:   {{ type: int, gen: {{ ref: {{ table: bench_accounts }} }} }}
      delta: {{ type: int, gen: {{ uniform: [-5000, 5000] }} }}
      mtime: {{ type: timestamp, gen: now }}
",
        ""
    )
}
