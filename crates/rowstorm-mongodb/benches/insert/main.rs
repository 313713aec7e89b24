//! The CPU table into MongoDB, against the driver sending documents that were built beforehand.
//!
//! Three contestants: Rowstorm, which makes and encodes its rows as it goes; the driver's `insert_many` of raw documents,
//! and its `run_raw_command` of whole commands, both of the very same bytes and ready before the clock starts. They take
//! turns at every setting (rows of a batch, batches in flight), and then each runs at the setting that was its fastest,
//! again in turns. Without a URL the server is a counting stub in a process of its own ([`stub`]): what is measured is the
//! client's CPU time. `ROWSTORM_BENCH_MONGODB=URL` names a real server, and then rows per second are worth reading, too;
//! `ROWSTORM_BENCH_SERVER=PID` is its process, whose CPU time is then printed.
//!
//! `cargo bench -p rowstorm-mongodb --bench insert`; `ROWSTORM_BENCH_ROWS` and `ROWSTORM_BENCH_ROUNDS` set the size.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures and prints"
)]

mod stub;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use mongodb::bson::{RawArrayBuf, RawDocument, RawDocumentBuf, rawdoc};
use mongodb::{Client, Database};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Plan, PlanOptions, TablePlan};
use rowstorm_mongodb::{Mongodb, MongodbWriter};
use rowstorm_sink::{
    ConnectOptions, Encoder as _, IndexTime, Payload, Prepare, PrepareMode, Sink as _, Writer as _,
};

const SCHEMA: &str = include_str!("../../../../schemas/cpu.yaml");
const CONTESTANTS: [&str; 3] = ["rowstorm", "insert_many raw", "run_raw_command"];
const RECREATE: Prepare = Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::None };
const BATCHES: [u64; 5] = [500, 1_000, 2_000, 5_000, 10_000];
const LANES: [u64; 3] = [1, 2, 4];

/// How a contestant writes.
#[derive(Clone, Copy)]
struct Setting {
    /// Rows of a batch.
    batch: u64,
    /// Batches in flight.
    lanes: u64,
}

/// One contestant's round.
#[derive(Clone, Copy)]
struct Round {
    rows_per_second: f64,
    /// CPU seconds for a million rows, of the client and the server.
    cpu: [f64; 2],
}

/// What all contestants share.
#[derive(Clone)]
struct Field {
    sink: Mongodb,
    database: Database,
    table: Arc<TablePlan>,
    rows: u64,
    /// The next batch.
    next: Arc<AtomicU64>,
    /// The server's process, as `/proc` calls it.
    server: Option<String>,
}

fn main() {
    if std::env::args().any(|argument| argument == "--stub") {
        return stub::serve();
    }
    let rows = setting("ROWSTORM_BENCH_ROWS", 100_000);
    let rounds = setting("ROWSTORM_BENCH_ROUNDS", 4);
    let given = std::env::var("ROWSTORM_BENCH_MONGODB").ok();
    let (url, stub) = if let Some(url) = given {
        (url, None)
    } else {
        let stub = stub::Stub::start();
        (stub.url(), Some(stub))
    };
    let server = stub.as_ref().map(|stub| stub.process().to_string());
    let server = std::env::var("ROWSTORM_BENCH_SERVER").ok().or(server);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let field = Field::new(&url, rows, server).await;
        println!(
            "{rows} rows of schemas/cpu.yaml in {rounds} rounds; CPU seconds a million, client / server"
        );
        let mut best = [(0.0, Setting { batch: 0, lanes: 0 }); CONTESTANTS.len()];
        for batch in BATCHES {
            for lanes in LANES {
                let at = Setting { batch, lanes };
                let speeds = field.race([at; CONTESTANTS.len()], rounds).await;
                for (best, speed) in best.iter_mut().zip(speeds) {
                    if speed > best.0 {
                        *best = (speed, at);
                    }
                }
            }
        }
        println!("\neach at its own fastest");
        field.race(best.map(|(_, at)| at), 2 * rounds).await;
    });
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

impl Field {
    async fn new(url: &str, rows: u64, server: Option<String>) -> Field {
        let schema = Schema::parse(SCHEMA, Format::Yaml, "cpu.yaml").expect("the sample is valid");
        let options = PlanOptions { rows: Some(rows), ..PlanOptions::default() };
        let plan = Plan::new(&schema, options).expect("the sample compiles");
        let options = ConnectOptions { url: url.to_owned(), ..ConnectOptions::default() };
        let sink = Mongodb::new(&options).expect("the URL is one of MongoDB");
        let client = Client::with_uri_str(url).await.expect("the URL is one of MongoDB");
        let database = client.database(sink.database());
        let table = Arc::clone(&plan.tables()[0]);
        Field { sink, database, table, rows, next: Arc::default(), server }
    }

    /// All contestants in turns, each at its setting; how many rows a second each of them wrote.
    async fn race(&self, at: [Setting; 3], rounds: u64) -> [f64; 3] {
        let documents = Arc::new(self.documents(at[1].batch));
        let command = |documents: &Vec<RawDocumentBuf>| command(&self.table.name, documents);
        let commands = self.documents(at[2].batch).iter().map(command).collect();
        let commands: Arc<Vec<RawDocumentBuf>> = Arc::new(commands);
        let mut results: [Vec<Round>; 3] = Default::default();
        for round in 0..=rounds {
            let order = (0..CONTESTANTS.len()).map(|place| (place + round as usize) % 3);
            for contestant in order {
                self.sink.prepare(&self.table, &RECREATE).await.expect("the collection is made");
                self.next.store(0, Ordering::Relaxed);
                let start = (Instant::now(), self.cpu_seconds());
                let Setting { batch, lanes } = at[contestant];
                let lanes = (0..lanes).map(|_| match contestant {
                    0 => tokio::spawn(self.clone().rowstorm(batch)),
                    1 => tokio::spawn(self.clone().insert_many(Arc::clone(&documents))),
                    _ => tokio::spawn(self.clone().run_raw_command(Arc::clone(&commands))),
                });
                for lane in lanes.collect::<Vec<_>>() {
                    lane.await.expect("a lane ends well");
                }
                let (took, cpu) = (start.0.elapsed().as_secs_f64(), self.cpu_seconds());
                // The first round warms up.
                if round > 0 {
                    let rows_per_second = self.rows as f64 / took;
                    let millions = self.rows as f64 / 1e6;
                    let cpu = [0, 1].map(|whose| (cpu[whose] - start.1[whose]) / millions);
                    results[contestant].push(Round { rows_per_second, cpu });
                }
            }
        }
        println!();
        [0, 1, 2].map(|it| told(CONTESTANTS[it], at[it], &results[it], &results[0]))
    }

    async fn rowstorm(self, batch_rows: u64) {
        let mut writer: MongodbWriter =
            self.sink.writer(&self.table).await.expect("a writer opens");
        let mut maker = Maker::new(&self.sink, &self.table);
        loop {
            let first = self.next.fetch_add(batch_rows, Ordering::Relaxed);
            if first >= self.rows {
                return;
            }
            maker.make(first..self.rows.min(first + batch_rows));
            let outcome = writer.write(&maker.payload).await.expect("the write is answered");
            assert_eq!(outcome.accepted, maker.payload.len());
        }
    }

    async fn insert_many(self, batches: Arc<Vec<Vec<RawDocumentBuf>>>) {
        let collection = self.database.collection::<RawDocumentBuf>(&self.table.name);
        while let Some(documents) = batches.get(self.turn()) {
            collection.insert_many(documents).ordered(false).await.expect("the insert is answered");
        }
    }

    async fn run_raw_command(self, commands: Arc<Vec<RawDocumentBuf>>) {
        while let Some(command) = commands.get(self.turn()) {
            let answer = self.database.run_raw_command(command.clone()).await;
            answer.expect("the insert is answered").get("n").expect("it counts");
        }
    }

    fn turn(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) as usize
    }

    /// The documents of a run, a batch each.
    fn documents(&self, batch_rows: u64) -> Vec<Vec<RawDocumentBuf>> {
        let mut maker = Maker::new(&self.sink, &self.table);
        let starts = (0..self.rows).step_by(batch_rows as usize);
        let batch = |first: u64| {
            maker.make(first..self.rows.min(first + batch_rows));
            documents(maker.payload.body.as_slice())
        };
        starts.map(batch).collect()
    }

    /// CPU seconds so far, of this process and of the server's.
    fn cpu_seconds(&self) -> [f64; 2] {
        [cpu_seconds("self"), self.server.as_deref().map_or(f64::NAN, cpu_seconds)]
    }
}

/// Prints how a contestant did, beside Rowstorm's rounds of the same turns; its rows a second.
fn told(name: &str, Setting { batch, lanes }: Setting, rounds: &[Round], ours: &[Round]) -> f64 {
    // A tick of the processor's clock is long beside a round: all rounds together.
    let mean =
        |whose: usize| rounds.iter().map(|it| it.cpu[whose]).sum::<f64>() / rounds.len() as f64;
    let (client, server) = (mean(0), mean(1));
    let speed = median(rounds.iter().map(|round| round.rows_per_second));
    let pairs = ours.iter().zip(rounds);
    let ratio = median(pairs.map(|(us, it)| us.rows_per_second / it.rows_per_second));
    println!(
        "{name:<16} {batch:>6} rows × {lanes} {speed:>10.0} rows/s   {client:>5.2} / {server:>5.2} s   rowstorm is {ratio:.2} times as fast"
    );
    speed
}

/// Fills and encodes, with buffers that are used again.
struct Maker<'a> {
    table: &'a TablePlan,
    encoder: rowstorm_mongodb::InsertEncoder,
    batch: Batch,
    payload: Payload,
}

impl<'a> Maker<'a> {
    fn new(sink: &Mongodb, table: &'a TablePlan) -> Maker<'a> {
        let encoder = sink.encoder(table);
        Maker { table, encoder, batch: Batch::default(), payload: Payload::default() }
    }

    fn make(&mut self, rows: Range<u64>) {
        self.payload.clear();
        self.payload.rows = rows.clone();
        self.encoder.begin(&mut self.payload);
        for first in rows.clone().step_by(BATCH_ROWS_MAX) {
            self.table.fill(first..rows.end.min(first + BATCH_ROWS_MAX as u64), &mut self.batch);
            self.encoder.encode(&self.batch, &mut self.payload);
        }
        self.encoder.end(&mut self.payload);
    }
}

/// The documents of a payload, which is one command or several.
fn documents(mut payload: &[u8]) -> Vec<RawDocumentBuf> {
    let mut all = Vec::new();
    while let Some(length) = payload.first_chunk() {
        let (command, rest) = payload.split_at(u32::from_le_bytes(*length) as usize);
        let command = RawDocument::from_bytes(command).expect("a command is a document");
        let documents = command.get_array("documents").expect("an insert has documents");
        let document = |value: mongodb::bson::RawBsonRef<'_>| -> Option<RawDocumentBuf> {
            value.as_document().map(RawDocument::to_owned)
        };
        let documents = documents.into_iter().map(|it| document(it.expect("a document is whole")));
        all.extend(documents.map(|it| it.expect("a document")));
        payload = rest;
    }
    all
}

/// A batch as one command.
fn command(collection: &str, documents: &[RawDocumentBuf]) -> RawDocumentBuf {
    let mut array = RawArrayBuf::new();
    for document in documents {
        array.push(document.clone());
    }
    rawdoc! { "insert": collection, "ordered": false, "documents": array }
}

/// CPU seconds of a process so far, its threads included (`/proc/PID/stat`; a tick is 10 ms).
fn cpu_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    let stat = stat.expect("Linux says what a process uses");
    // The name in brackets may hold blanks; user and system time are the 12th and 13th words behind it.
    let (_, words) = stat.rsplit_once(')').expect("the name stands in brackets");
    let ticks = words.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    ticks.map(|ticks| ticks.expect("a number")).sum::<f64>() / 100.0
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count.is_multiple_of(2) => f64::midpoint(values[count / 2 - 1], values[count / 2]),
        count => values[count / 2],
    }
}
