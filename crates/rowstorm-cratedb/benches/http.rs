//! The client's whole way of a row: generate, encode, send over HTTP, read every row's result. The CPU table of ten tags, an
//! instant and ten integers; every row is fresh. The server is another process that reads bodies and answers a result for
//! each row, so that what is counted is the client: its processor time and its rate. Ways in rounds, one after another,
//! and their medians: rates of a shared machine are no figures, ratios of neighbours are.
//!
//! `cargo bench -p rowstorm-cratedb --bench http -- [--rows 3000000] [--batch 10000] [--lanes 2] [--rounds 7] [--to URL]`:
//! with a URL, into a real server, which makes the ways' answers real, too, and shows the PostgreSQL wire (at 5432).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads clocks and prints, and has failed if a step of it fails"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rowstorm_cratedb::CrateDb;
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Plan, PlanOptions, TablePlan, schema};
use rowstorm_sink::{
    ConnectOptions, Encoder, IndexTime, Payload, Prepare, PrepareMode, Scope, Sink, Writer,
};

const WAYS: [(&str, &str); 4] = [
    ("bulk_args", "?method=bulk_args"),
    ("unnest", "?method=unnest"),
    ("bulk_args, gzip", "?method=bulk_args&gzip=true"),
    // Last: the stub speaks HTTP alone.
    ("postgres", "?method=postgres"),
];

#[derive(Debug, Clone)]
struct Settings {
    rows: u64,
    batch: u64,
    lanes: usize,
    rounds: usize,
    to: Option<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, rows] = &arguments[..]
        && serve == "--serve"
    {
        return answer_bodies(rows.parse().unwrap());
    }
    let given = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let number =
        |name: &str, default: u64| given(name).map_or(default, |text| text.parse().unwrap());
    let settings = Settings {
        rows: number("--rows", 3_000_000),
        batch: number("--batch", 10_000),
        lanes: number("--lanes", 2) as usize,
        rounds: number("--rounds", 7) as usize,
        to: given("--to"),
    };
    let server = settings.to.is_none().then(|| Stub::start(settings.batch));
    let url = settings.to.clone().unwrap_or_else(|| server.as_ref().unwrap().url.clone());
    let table = table();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.lanes)
        .enable_all()
        .build()
        .unwrap();
    println!("{settings:?}");
    let ways = if settings.to.is_some() { &WAYS[..] } else { &WAYS[..WAYS.len() - 1] };
    let mut spent: [Vec<Spent>; WAYS.len()] = Default::default();
    for _ in 0..settings.rounds {
        for ((name, options), spent) in ways.iter().zip(&mut spent) {
            let one =
                runtime.block_on(write_all(&table, &format!("{url}/doc{options}"), &settings));
            println!("{name:16} {one}");
            spent.push(one);
        }
    }
    println!("medians of {} rounds", settings.rounds);
    for ((name, _), spent) in ways.iter().zip(&spent) {
        let middle = |figure: fn(&Spent) -> f64| {
            let mut figures: Vec<f64> = spent.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        println!(
            "{name:16} {:.3} s of processor per million rows, {:9.0} rows/s, {:.0} bytes a row",
            middle(Spent::cpu_per_million),
            middle(|spent| spent.rows as f64 / spent.wall.as_secs_f64()),
            middle(|spent| spent.bytes as f64 / spent.rows as f64),
        );
    }
}

/// What writing all rows took.
struct Spent {
    rows: u64,
    bytes: u64,
    cpu: Duration,
    wall: Duration,
}

impl Spent {
    fn cpu_per_million(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.rows as f64
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = self.rows as f64 / self.wall.as_secs_f64();
        write!(out, "{:.3} s per million, {rate:9.0} rows/s", self.cpu_per_million())
    }
}

async fn write_all(table: &Arc<TablePlan>, url: &str, settings: &Settings) -> Spent {
    let options = ConnectOptions { url: url.to_owned(), ..ConnectOptions::default() };
    let sink = Arc::new(CrateDb::new(&options).unwrap());
    let prepare = Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::None };
    if settings.to.is_some() {
        sink.prepare(table, &prepare).await.unwrap();
    }
    let next = Arc::new(AtomicU64::new(0));
    let (wall, before) = (Instant::now(), cpu());
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..settings.lanes {
        let (sink, table, next, settings) =
            (Arc::clone(&sink), Arc::clone(table), Arc::clone(&next), settings.clone());
        lanes.spawn(async move {
            let mut writer = sink.writer(&table).await.unwrap();
            let mut encoder = sink.encoder(&table);
            let (mut payload, mut batch, mut bytes) = (Payload::default(), Batch::default(), 0);
            loop {
                let first = next.fetch_add(settings.batch, Ordering::Relaxed);
                if first >= settings.rows {
                    return bytes;
                }
                payload.clear();
                payload.rows = first..first + settings.batch;
                encoder.begin(&mut payload);
                let mut at = first;
                while at < payload.rows.end {
                    let end = payload.rows.end.min(at + BATCH_ROWS_MAX as u64);
                    table.fill(at..end, &mut batch);
                    encoder.encode(&batch, &mut payload);
                    at = end;
                }
                encoder.end(&mut payload);
                bytes += payload.body.len() as u64;
                let outcome = writer.write(&payload).await.unwrap();
                assert_eq!(outcome.accepted, settings.batch, "{outcome:?}");
            }
        });
    }
    let mut bytes = 0;
    while let Some(lane) = lanes.join_next().await {
        bytes += lane.unwrap();
    }
    let (cpu, wall) = (cpu().saturating_sub(before), wall.elapsed());
    if settings.to.is_some() {
        let audit = sink.audit(table, &Scope::Table).await.unwrap();
        assert_eq!(audit.rows, settings.rows, "the server has them all");
    }
    Spent { rows: settings.rows, bytes, cpu, wall }
}

fn table() -> Arc<TablePlan> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/cpu.yaml");
    let schema = schema::Schema::load(path).unwrap();
    let plan = Plan::new(&schema, PlanOptions::default()).unwrap();
    Arc::clone(&plan.tables()[0])
}

/// User and system time of this process, in Linux' hundredths of a second (proc_pid_stat(5), fields 14 and 15).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// The server, as a process of its own.
struct Stub {
    child: Child,
    url: String,
}

impl Stub {
    fn start(rows: u64) -> Stub {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--serve").arg(rows.to_string()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Stub { child, url: format!("crate://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Reads bodies and throws them away; answers a result for each row, or one count, or a version.
fn answer_bodies(rows: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let results = vec![r#"{"rowcount":1}"#; rows].join(",");
    let bulk: Arc<str> =
        format!("{{\"cols\":[],\"duration\":2.195417,\"results\":[{results}]}}").into();
    let count: Arc<str> =
        format!("{{\"cols\":[],\"rows\":[[]],\"rowcount\":{rows},\"duration\":1.5}}").into();
    for connection in listener.incoming().flatten() {
        let (bulk, count) = (Arc::clone(&bulk), Arc::clone(&count));
        std::thread::spawn(move || serve(&connection, &bulk, &count));
    }
}

fn serve(mut connection: &TcpStream, bulk: &str, count: &str) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::with_capacity(256 << 10, connection);
    let mut line = String::new();
    loop {
        let (mut length, mut is_gzip) = (0_u64, false);
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let header = line.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            is_gzip |= header == "content-encoding: gzip";
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut start = vec![0; length.min(2048) as usize];
        reader.read_exact(&mut start).ok()?;
        let rest = length - start.len() as u64;
        std::io::copy(&mut (&mut reader).take(rest), &mut std::io::sink()).ok()?;
        let holds = |word: &[u8]| start.windows(word.len()).any(|window| window == word);
        let body = if is_gzip || holds(b"bulk_args") {
            bulk
        } else if holds(b"UNNEST") {
            count
        } else {
            r#"{"cols":["version"],"rows":[["CrateDB 6.4.3 (a stub)"]],"rowcount":1,"duration":1.0}"#
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write_all(head.as_bytes()).ok()?;
        connection.write_all(body.as_bytes()).ok()?;
    }
}
