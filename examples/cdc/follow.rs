//! MySQL's or MariaDB's binary log into MongoDB: what a connector, a queue and a consumer do, in one process.
//!
//! A document is `{_id: KEY, after: {…}}`, the row as Debezium's envelope encodes it. First the tables are copied, from behind a point of
//! the log; then the log from that point on. An event that the copied row has already is done again, and ends the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use mongodb::bson::{Bson, Document, doc};
use mongodb::{Client, Database};
use rowstorm::generate::{Plan, TablePlan, Value};
use rowstorm::sink::{ConnectOptions, Sink as _};
use rowstorm_mysql::Mysql;
use rowstorm_mysql::cdc::{Follower, Logged, RowChange};

/// Rows of one command: MongoDB takes 100,000, and 48 MB.
const COMMAND_ROWS: usize = 1_000;

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// Rows that stood there at the beginning.
    pub(crate) copied: u64,
    pub(crate) changes: u64,
    pub(crate) transactions: u64,
    /// Behind the last transaction of the log that was read: file and offset.
    pub(crate) position: (String, u64),
}

/// Where to begin.
pub(crate) enum Begin {
    /// With a copy of the tables as they are, and the log from there on.
    Copy,
    /// With the log alone, where another has ended: file and offset.
    At(String, u64),
}

/// Copies the plan's tables, or goes on with a copy, and follows their changes until the log is silent for `idle`.
pub(crate) async fn follow(
    plan: &Plan,
    from: &str,
    to: &str,
    begin: &Begin,
    idle: Duration,
) -> anyhow::Result<Followed> {
    let source = ConnectOptions { url: from.to_owned(), ..ConnectOptions::default() };
    let client = Client::with_uri_str(to).await?;
    let copy = client.default_database().context("--to names no database")?;
    let mut followed = Followed::default();
    let mut follower = match begin {
        Begin::Copy => Follower::begin(source.clone(), plan.tables()).await?,
        Begin::At(file, offset) => {
            Follower::begin_at(source.clone(), plan.tables(), (file, *offset)).await?
        }
    };
    let source = Mysql::connect_with(source).await?;
    let copied = match begin {
        Begin::Copy => plan.tables(),
        Begin::At(..) => &[],
    };
    for table in copied {
        let mut scan = source.scan(table).await?;
        loop {
            let rows = scan.next().await?;
            if rows.is_empty() {
                break;
            }
            followed.copied += rows.len() as u64;
            let mut states = States::default();
            for row in rows {
                states.set(table, &row, Some(document(table, &row)?));
            }
            states.write(&copy).await?;
        }
    }
    let mut states = States::default();
    while let Ok(logged) = tokio::time::timeout(idle, follower.next()).await {
        match logged? {
            Logged::Row(change) => {
                states.take(plan.table(&change.table)?, &change)?;
                followed.changes += 1;
            }
            Logged::Commit => {
                std::mem::take(&mut states).write(&copy).await?;
                followed.transactions += 1;
            }
        }
    }
    let (file, offset) = follower.position();
    followed.position = (file.to_owned(), offset);
    Ok(followed)
}

/// What a transaction leaves of each row that it touched, by table and key; `None` is gone.
#[derive(Default)]
struct States(BTreeMap<Arc<str>, Rows>);

/// By the key's text: `_id` and state.
type Rows = BTreeMap<String, (Bson, Option<Document>)>;

impl States {
    /// A change of the key is a row that goes and a row that comes.
    fn take(&mut self, table: &TablePlan, change: &RowChange) -> anyhow::Result<()> {
        if let Some(before) = &change.before {
            self.set(table, before, None);
        }
        if let Some(after) = &change.after {
            self.set(table, after, Some(document(table, after)?));
        }
        Ok(())
    }

    fn set(&mut self, table: &TablePlan, row: &[Value], state: Option<Document>) {
        let key = table.key.iter().map(|&at| row[at].to_string());
        let id = match &table.key[..] {
            [at] => scalar(&row[*at]),
            several => several.iter().map(|&at| scalar(&row[at])).collect(),
        };
        let rows = self.0.entry(Arc::clone(&table.name)).or_default();
        rows.insert(key.collect::<Vec<_>>().join("\0"), (id, state));
    }

    async fn write(self, copy: &Database) -> anyhow::Result<()> {
        for (table, rows) in self.0 {
            let (mut updates, mut deletes) = (Vec::new(), Vec::new());
            for (id, state) in rows.into_values() {
                let one = doc! { "_id": id };
                match state {
                    Some(state) => updates.push(doc! { "q": one, "u": state, "upsert": true }),
                    None => deletes.push(doc! { "q": one, "limit": 1 }),
                }
            }
            for rows in updates.chunks(COMMAND_ROWS) {
                send(copy, doc! { "update": &*table, "updates": rows }).await?;
            }
            for rows in deletes.chunks(COMMAND_ROWS) {
                send(copy, doc! { "delete": &*table, "deletes": rows }).await?;
            }
        }
        Ok(())
    }
}

/// A command that is answered, but with refused rows, is an error, too.
async fn send(copy: &Database, command: Document) -> anyhow::Result<()> {
    let answer = copy.run_command(command).await?;
    for refused in ["writeErrors", "writeConcernError"] {
        if let Some(why) = answer.get(refused) {
            bail!("MongoDB did not take the rows: {why}");
        }
    }
    Ok(())
}

fn document(table: &TablePlan, row: &[Value]) -> anyhow::Result<Document> {
    let mut after = Document::new();
    for (column, value) in table.columns.iter().zip(row) {
        if matches!(value, Value::Bytes(_) | Value::Json(_) | Value::Object(_) | Value::Array(_)) {
            bail!("{}.{}: this example has no encoding for it", table.name, column.name);
        }
        after.insert(&*column.name, scalar(value));
    }
    Ok(doc! { "after": after })
}

/// A value as Debezium's defaults have it in JSON.
fn scalar(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        // MySQL's BOOL is a TINYINT.
        Value::Bool(is) => Bson::Int64((*is).into()),
        Value::Int(number) | Value::Timestamp(number) => Bson::Int64(*number),
        Value::Float(number) => Bson::Double(*number),
        Value::Decimal { unscaled, .. } => Bson::String(base64(&shortest(*unscaled))),
        other => Bson::String(other.to_string()),
    }
}

/// Two's complement, big-endian, without bytes that only repeat the sign: `java.math.BigInteger.toByteArray`.
fn shortest(number: i128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let signs = if number < 0 { number.leading_ones() } else { number.leading_zeros() };
    // The first bit that is kept is the sign's.
    bytes[((signs - 1) / 8).min(15) as usize..].to_vec()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word =
            (0..3).fold(0u32, |word, at| word << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let place = (word >> (18 - 6 * digit)) & 63;
            text.push(if digit <= three.len() { DIGITS[place as usize].into() } else { '=' });
        }
    }
    text
}
