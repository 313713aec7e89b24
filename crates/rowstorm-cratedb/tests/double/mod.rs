//! A **double** of CrateDB's HTTP endpoint, and of its PostgreSQL wire: not CrateDB, and never taken for it.
//!
//! It answers statements of the kind that an adapter sends, out of a store of its own, in the shapes that CrateDB 6.4.3
//! was seen to answer in, and does on demand what a healthy server does not: close a connection before or after it did its
//! work, trip a breaker, reject a shard's rows. What it knows of SQL it reads by a small grammar ([`parse`]), not by
//! comparing texts. The suite that runs on it runs on a real server, too (`tests/conformance`).
#![allow(dead_code, reason = "each test that has the double uses a part of it")]

mod catalogue;
mod change;
mod http;
mod insert;
mod parse;
mod select;
mod table;
mod token;
mod wire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use parse::Statement;
use table::Store;

/// A server that runs as long as the process.
pub(crate) struct Double {
    url: String,
    wire_port: u16,
    state: Arc<Mutex<State>>,
}

/// What is done to a request instead of, or beside, carrying it out.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The connection is closed before anything is done.
    CloseBefore,
    /// It is carried out, and the connection is closed without an answer.
    CloseAfter,
    /// It is not carried out; this status, this header (or none) and this body are the answer.
    Answer(u16, &'static str, String),
    /// Every so manieth row of a bulk is not written, for a trouble of its shard: per row, or, as releases 5.10.0 to
    /// 6.4.2 say it, for the whole bulk while the other rows are written.
    Shard { every: usize, code: u32, message: &'static str },
    /// Every so manieth row of a bulk is written, and told as failed.
    Denied { every: usize },
}

/// How a release answers, where releases differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// Every row of a bulk has its own result.
    V6_4_3,
    /// A shard's trouble is the whole bulk's error.
    V6_4_2,
    /// A bulk of one row that fails is answered like a single statement.
    V5_9,
}

pub(crate) struct State {
    store: Store,
    faults: VecDeque<Fault>,
    release: Release,
    /// `Authorization` must be this, if anything.
    token: Option<String>,
    /// Who is let in by the PostgreSQL wire, if not everybody.
    login: Option<(String, String)>,
    /// Bulks over that wire.
    bulks: u64,
    /// Rejected writes, as `sys.nodes` counts them.
    rejected: u64,
    requests: u64,
    body_bytes_max: usize,
}

/// An answer: status, headers, body.
pub(crate) struct Answer {
    status: u16,
    header: &'static str,
    body: String,
}

/// Why a statement is not carried out.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    status: u16,
    code: u32,
    message: String,
}

pub(crate) type Done<T> = Result<T, Refused>;

impl Double {
    /// Starts a server on a free port of the loopback interface.
    pub(crate) fn start() -> Double {
        Double::listen(None)
    }

    /// Starts one that takes TLS alone; its certificate is for `localhost`.
    pub(crate) fn start_with_tls(tls: rustls::ServerConfig) -> Double {
        let double = Double::listen(Some(Arc::new(tls)));
        let url = double.url.replace("crate://127.0.0.1", "crates://localhost");
        Double { url, ..double }
    }

    fn listen(tls: Option<Arc<rustls::ServerConfig>>) -> Double {
        let state = Arc::new(Mutex::new(State {
            store: Store::default(),
            faults: VecDeque::new(),
            release: Release::V6_4_3,
            token: None,
            login: None,
            bulks: 0,
            rejected: 0,
            requests: 0,
            body_bytes_max: 100 << 20,
        }));
        let port = http::listen(Arc::clone(&state), tls);
        let wire_port = wire::listen(Arc::clone(&state));
        Double { url: format!("crate://127.0.0.1:{port}"), wire_port, state }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The same with rows over the PostgreSQL wire.
    pub(crate) fn wire_url(&self) -> String {
        format!("{}?method=postgres&pg_port={}", self.url, self.wire_port)
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn host(&self) -> &str {
        self.url.trim_start_matches("crate://")
    }

    /// What befalls the next requests that insert, in turn.
    pub(crate) fn befall(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    pub(crate) fn be(&self, release: Release) {
        self.state().release = release;
    }

    /// Lets in only who says this (base 64 of `user:password`).
    pub(crate) fn lock(&self, token: &str) {
        self.state().token = Some(format!("Basic {token}"));
    }

    /// The same for the PostgreSQL wire.
    pub(crate) fn lock_wire(&self, user: &str, password: &str) {
        self.state().login = Some((user.to_owned(), password.to_owned()));
    }

    pub(crate) fn bulks(&self) -> u64 {
        self.state().bulks
    }

    pub(crate) fn reject_writes(&self, more: u64) {
        self.state().rejected += more;
    }

    pub(crate) fn limit_bodies(&self, bytes_max: usize) {
        self.state().body_bytes_max = bytes_max;
    }

    pub(crate) fn requests(&self) -> u64 {
        self.state().requests
    }

    /// The names of a table's columns, as the catalogue has them.
    pub(crate) fn columns(&self, table: &str) -> Vec<String> {
        let state = self.state();
        let table = state.store.tables.get(&("doc".to_owned(), table.to_owned()));
        table
            .map(|table| catalogue::columns(table).into_iter().map(|it| it.0).collect())
            .unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Release {
    fn version(self) -> &'static str {
        match self {
            Release::V6_4_3 => "CrateDB 6.4.3 (a double of its endpoint)",
            Release::V6_4_2 => "CrateDB 6.4.2 (a double of its endpoint)",
            Release::V5_9 => "CrateDB 5.9.12 (a double of its endpoint)",
        }
    }
}

impl State {
    /// Carries a request out.
    fn carry_out(&mut self, body: &[u8], fault: Option<&Fault>) -> Answer {
        match self.run(body, fault) {
            Ok(body) => Answer { status: 200, header: "", body },
            Err(refused) => {
                let error = json!({"error": {"message": refused.message, "code": refused.code}});
                Answer { status: refused.status, header: "", body: error.to_string() }
            }
        }
    }

    fn run(&mut self, body: &[u8], fault: Option<&Fault>) -> Done<String> {
        let request: Value = serde_json::from_slice(body).map_err(|_| {
            Refused::parse(
                "SQLParseException[Can't parse […]. Expecting payload with `stmt` string]",
            )
        })?;
        let Some(statement) = request["stmt"].as_str() else {
            return Err(Refused::new(
                500,
                5000,
                "SQLParseSourceException[Field [stmt] is missing]",
            ));
        };
        let empty = Vec::new();
        let args = request["args"].as_array().unwrap_or(&empty);
        match (parse::statement(statement)?, request["bulk_args"].as_array()) {
            (Statement::Insert(insert), Some(rows)) => {
                insert::bulk(&mut self.store, self.release, &insert, rows, fault)
            }
            (Statement::Change(change), Some(rows)) => change::bulk(&mut self.store, &change, rows),
            (_, Some(_)) => Err(Refused::new(
                400,
                4004,
                "UnsupportedFeatureException[Bulk operations for statements that return result sets is not supported]",
            )),
            (Statement::Change(all), None) if all.set.is_none() && all.found.is_empty() => {
                self.store.empty(&all.name)
            }
            (Statement::Alter(name, column), None) => self.store.add_column(&name, column),
            (Statement::Change(_), None) => Err(Refused::new(
                400,
                4004,
                "UnsupportedFeatureException[this double changes rows in bulks]",
            )),
            (Statement::Insert(insert), None) => insert::single(&mut self.store, &insert, args),
            (Statement::Create(create), None) => self.store.create(create),
            (Statement::Drop { name, if_exists }, None) => self.store.drop(&name, if_exists),
            (Statement::Refresh(name), None) => self.store.refresh(&name),
            (Statement::Select(select), None) => {
                let world = select::World {
                    store: &self.store,
                    rejected: self.rejected,
                    version: self.release.version(),
                    args,
                };
                select::answer(&world, &select)
            }
        }
    }
}

impl Refused {
    fn new(status: u16, code: u32, message: impl Into<String>) -> Refused {
        Refused { status, code, message: message.into() }
    }

    fn parse(message: impl Into<String>) -> Refused {
        Refused::new(400, 4000, message)
    }
}

/// The answer to a statement that has no rows.
fn touched(rows: u64) -> String {
    format!("{{\"cols\":[],\"rows\":[[]],\"rowcount\":{rows},\"duration\":1.25}}")
}
