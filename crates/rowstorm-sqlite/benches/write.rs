//! The whole way of a row through the adapter (encode, hand over, bind, step) against a loop over a prepared statement
//! written by hand for this one table: the CPU table, ten tags, an instant, ten integers. Pairs, one after the other, and their median
//! ratio: rates of a shared machine are no figures, ratios of neighbours are. The time is that of the processor, over
//! all threads, where the system tells it (Linux), else that of the wall.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads clocks and prints, and has failed if a step of it fails"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use rowstorm_gen::{Batch, ColumnData, Plan, PlanOptions, TablePlan, Values, schema};
use rowstorm_sink::rows::code;
use rowstorm_sink::{Encoder, IndexTime, Payload, Prepare, PrepareMode, Sink, Writer};
use rowstorm_sqlite::Sqlite;
use rusqlite::{Connection, params_from_iter, types::ValueRef};

const ROWS: u64 = 500_000;
const PAYLOAD_ROWS: u64 = 5_000;
const PAIRS: usize = 7;

fn main() {
    let table = table();
    let batches: Vec<Batch> = (0..ROWS).step_by(1000).map(|first| batch(&table, first)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut ratios: Vec<f64> = (0..PAIRS)
        .map(|_| {
            let ours = runtime.block_on(by_adapter(&table, &batches));
            let theirs = by_hand(&batches);
            println!("adapter {ours}\nby hand {theirs}");
            theirs.cpu.as_secs_f64() / ours.cpu.as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[PAIRS / 2]);
}

/// What writing all rows took.
struct Spent {
    cpu: Duration,
    wall: Duration,
}

impl std::fmt::Display for Spent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = ROWS as f64 / self.wall.as_secs_f64();
        let each = self.cpu.as_secs_f64() * 1e6 / ROWS as f64;
        write!(out, "{rate:8.0} rows/s, {each:.2} us of processor a row")
    }
}

struct Watch {
    cpu: Option<Duration>,
    wall: Instant,
}

impl Watch {
    fn start() -> Watch {
        Watch { cpu: cpu(), wall: Instant::now() }
    }

    fn spent(&self) -> Spent {
        let wall = self.wall.elapsed();
        let cpu = self.cpu.zip(cpu()).map_or(wall, |(start, end)| end.saturating_sub(start));
        Spent { cpu, wall }
    }
}

/// User and system time of this process, in Linux' hundredths of a second (proc_pid_stat(5), fields 14 and 15).
fn cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Some(Duration::from_millis(ticks * 10))
}

async fn by_adapter(table: &Arc<TablePlan>, batches: &[Batch]) -> Spent {
    let sqlite = Sqlite::temporary().unwrap();
    let prepare = Prepare { mode: PrepareMode::Create, indexes: IndexTime::None };
    sqlite.prepare(table, &prepare).await.unwrap();
    let mut writer = sqlite.writer(table).await.unwrap();
    let mut encoder = sqlite.encoder(table);
    let mut payload = Payload::default();
    let watch = Watch::start();
    for group in batches.chunks(PAYLOAD_ROWS as usize / 1000) {
        payload.clear();
        payload.rows = group[0].rows.start..group[group.len() - 1].rows.end;
        encoder.begin(&mut payload);
        for batch in group {
            encoder.encode(batch, &mut payload);
        }
        encoder.end(&mut payload);
        assert_eq!(writer.write(&payload).await.unwrap().accepted, PAYLOAD_ROWS);
    }
    sqlite.finish(table, &prepare).await.unwrap();
    watch.spent()
}

fn by_hand(batches: &[Batch]) -> Spent {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(directory.path().join("hand.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "normal").unwrap();
    let columns = 0..batches[0].columns.len();
    let list = |mark: &str| {
        columns.clone().map(|place| format!("{mark}{}", place + 1)).collect::<Vec<_>>().join(",")
    };
    connection.execute_batch(&format!("CREATE TABLE cpu ({})", list("c"))).unwrap();
    let insert = format!("INSERT INTO cpu VALUES ({})", list("?"));
    let watch = Watch::start();
    for group in batches.chunks(PAYLOAD_ROWS as usize / 1000) {
        let transaction = connection.transaction().unwrap();
        let mut statement = transaction.prepare_cached(&insert).unwrap();
        for batch in group {
            for row in 0..batch.len() {
                let cells = batch.columns.iter().map(|column| cell(column, row, &batch.series));
                statement.execute(params_from_iter(cells)).unwrap();
            }
        }
        drop(statement);
        transaction.commit().unwrap();
    }
    connection.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).unwrap();
    watch.spent()
}

fn cell<'a>(column: &'a ColumnData, row: usize, series: &[u32]) -> Bound<'a> {
    match &column.values {
        Values::Text(tags) => Bound::Text(tags.get(row)),
        Values::Timestamp(at) => Bound::Instant(rowstorm_gen::text::timestamp(at[row])),
        Values::Int(values) => Bound::Int(values[row]),
        Values::Dictionary { codes, entries } => {
            cell(entries, code(codes, row, series) as usize, series)
        }
        other => panic!("no such column: {other:?}"),
    }
}

enum Bound<'a> {
    Text(&'a [u8]),
    Instant(rowstorm_gen::text::Piece),
    Int(i64),
}

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        let value = match self {
            Bound::Text(bytes) => ValueRef::Text(bytes),
            Bound::Instant(piece) => ValueRef::Text(piece.as_bytes()),
            Bound::Int(value) => ValueRef::Integer(*value),
        };
        Ok(rusqlite::types::ToSqlOutput::Borrowed(value))
    }
}

fn table() -> Arc<TablePlan> {
    let document = include_str!("../../../schemas/cpu.yaml");
    let schema = schema::Schema::parse(document, schema::Format::Yaml, "cpu.yaml").unwrap();
    Plan::new(&schema, PlanOptions::default()).unwrap().tables()[0].clone()
}

fn batch(table: &TablePlan, first: u64) -> Batch {
    let mut batch = Batch::default();
    table.fill(first..first + 1000, &mut batch);
    batch
}
