//! The suite of promises that every adapter runs as its test.
//!
//! A promise of [`Sink`], [`Writer`](crate::Writer), [`Changer`](crate::Changer) and [`Scan`](crate::Scan) is worth what checks it, so each has a case here of the same
//! wording, and an adapter's test is one `main`:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use rowstorm_gen::TablePlan;
//! use rowstorm_sink::conformance::{self, Need, Row, Server, Subject};
//! use rowstorm_sink::{Memory, SinkError};
//!
//! struct InMemory;
//!
//! impl Subject for InMemory {
//!     type Sink = Memory;
//!     const NAME: &'static str = "memory";
//!     const SERVER: Server = Server::InProcess;
//!     const LACKS: &'static [Need] = &[Need::Passwords];
//!
//!     async fn connect(_url: &str) -> Result<Memory, SinkError> {
//!         Ok(Memory::new())
//!     }
//!
//!     async fn read(sink: &Memory, table: &TablePlan) -> Vec<Row> {
//!         let rows = sink.rows(&table.name);
//!         rows.iter().map(|row| row.iter().map(|value| value.to_text()).collect()).collect()
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     conformance::main::<InMemory>()
//! }
//! ```
//!
//! The test needs `harness = false` in its manifest. Without the server every case shows as *ignored*, by name; where
//! `ROWSTORM_REQUIRE` (names with commas) names the subject, it fails instead.

mod bed;
mod changing;
mod compare;
mod counting;
mod names;
mod preparing;
mod refusals;
mod scanning;
mod table;
mod trouble;
mod values;
mod writing;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use rowstorm_gen::TablePlan;

use crate::{Sink, SinkError};
use bed::Bed;

/// One row as text, a value for each column, `None` for null.
pub type Row = Vec<Option<String>>;

/// One database as the suite sees it. Implement it for an empty type of the test.
pub trait Subject: Send + Sync + 'static {
    /// The sink.
    type Sink: Sink;
    /// The database's short name, as `ROWSTORM_REQUIRE` has it.
    const NAME: &'static str;
    /// Where the server is.
    const SERVER: Server;
    /// What this database does not have: the cases that need it show as ignored, by name.
    const LACKS: &'static [Need] = &[];
    /// The step of its instants in microseconds: finer digits are cut off, towards the past.
    const INSTANT_STEP_US: i64 = 1;
    /// The smallest and the largest `bigint` that it keeps; others it refuses.
    const BIGINT: (i64, i64) = (i64::MIN, i64::MAX);

    /// Connects; the URL is empty for [`Server::InProcess`]. Every case connects anew.
    fn connect(url: &str) -> impl Future<Output = Result<Self::Sink, SinkError>>;

    /// Reads all rows by the database's own means, ordered by the first column, each value as text.
    ///
    /// Booleans are `t`, `true` or `1`; bytes hexadecimal, with or without `\x`; instants ISO 8601 in UTC, with `T` or a
    /// space; floats with as many digits as read back the same.
    fn read(sink: &Self::Sink, table: &TablePlan) -> impl Future<Output = Vec<Row>>;

    /// Whether the database can hold a name; `prepare` must refuse, by name, one that it cannot.
    fn can_name(_place: NamePlace, _name: &str) -> bool {
        true
    }

    /// Whether a column of a type, as the document writes it, can be a table's key.
    fn can_key(_data_type: &str) -> bool {
        true
    }

    /// The columns of each secondary index that is there now ([`Need::Indexes`]).
    fn indexes(_sink: &Self::Sink, _table: &TablePlan) -> impl Future<Output = Vec<Vec<String>>> {
        async { panic!("write `indexes`, or list Need::Indexes in LACKS") }
    }

    /// Kills all connections of this sink that are open, from outside ([`Need::Connections`]).
    fn cut_connections(_sink: &Self::Sink) -> impl Future<Output = ()> {
        async { panic!("write `cut_connections`, or list Need::Connections in LACKS") }
    }

    /// The URL with a user and password that the server refuses ([`Need::Passwords`]).
    fn wrong_password(url: &str, password: &str) -> String {
        let (scheme, rest) = url.split_once("://").expect("the URL has a scheme");
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{scheme}://rowstorm_nobody:{password}@{host}{path}")
    }
}

/// Where a subject's server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// None is needed.
    InProcess,
    /// At the URL in this environment variable.
    Env(&'static str),
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePlace {
    /// A table.
    Table,
    /// A column.
    Column,
}

/// What a case needs of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Rows are kept and can be read back.
    Rows,
    /// Keys are enforced: equal keys are refused.
    Keys,
    /// NOT NULL and lengths are enforced.
    Checks,
    /// Secondary indexes.
    Indexes,
    /// Connections that can be killed.
    Connections,
    /// Users with passwords.
    Passwords,
    /// A payload is written whole or not at all when its future is dropped.
    Transactions,
    /// Floats keep the sign of zero.
    SignedZero,
    /// The JSON document `null` is told from no value.
    JsonNull,
    /// A table without a key takes the same rows twice.
    Copies,
    /// Rows are changed: [`Sink::changer`].
    Changes,
    /// Changes that are kept or undone together: [`ChangeLimits::transactions`](crate::ChangeLimits::transactions).
    Undo,
    /// A row is given another key; without, `change_limits` refuses it in words.
    Rekey,
    /// Queries in words of one's own: a `statement:` of the mix.
    Statements,
    /// Rows are read back: [`Sink::scan`].
    Scan,
}

/// Longer than any case takes; a promise is "never a hang".
const CASE_TIMEOUT: Duration = Duration::from_mins(2);

/// Runs the suite with the arguments of the command line, as `cargo test` gives them.
pub fn main<S: Subject>() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials =
        cases::<S>().into_iter().map(|case| case.trial(&url::<S>()).with_kind(S::NAME)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The server's URL, or why there is none.
fn url<S: Subject>() -> Result<String, Missing> {
    let variable = match S::SERVER {
        Server::InProcess => return Ok(String::new()),
        Server::Env(variable) => variable,
    };
    let required = std::env::var("ROWSTORM_REQUIRE").unwrap_or_default();
    std::env::var(variable).map_err(|_| Missing {
        message: format!("{variable} is not set"),
        required: required.split(',').any(|name| name.trim() == S::NAME),
    })
}

/// A server that is not there.
#[derive(Clone)]
struct Missing {
    message: String,
    required: bool,
}

type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// One promise.
struct Case {
    name: String,
    ignored: bool,
    run: Box<dyn FnOnce(String) -> LocalFuture + Send>,
}

impl Case {
    fn new<S: Subject, F: Future<Output = ()> + 'static>(
        name: &str,
        needs: &[Need],
        run: impl FnOnce(Bed<S>) -> F + Send + 'static,
    ) -> Case {
        Case {
            name: name.replace(' ', "_"),
            ignored: needs.iter().any(|need| S::LACKS.contains(need)),
            run: Box::new(|url| {
                Box::pin(async move {
                    let bed = Bed::new(url).await;
                    let sink = Arc::clone(&bed.sink);
                    run(bed).await;
                    sink.close().await;
                })
            }),
        }
    }

    fn trial(self, url: &Result<String, Missing>) -> Trial {
        let url = url.clone();
        let ignored = self.ignored || url.as_ref().is_err_and(|missing| !missing.required);
        let run = self.run;
        Trial::test(self.name, move || {
            let url = url.map_err(|missing| Failed::from(missing.message))?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .map_err(|error| Failed::from(error.to_string()))?;
            runtime
                .block_on(async { tokio::time::timeout(CASE_TIMEOUT, run(url)).await })
                .map_err(|_| Failed::from(format!("hangs: no end after {CASE_TIMEOUT:?}")))
        })
        .with_ignored_flag(ignored)
    }
}

/// All cases, in the order of a table's life.
fn cases<S: Subject>() -> Vec<Case> {
    let mut cases = preparing::cases::<S>();
    cases.extend(values::cases::<S>());
    cases.extend(names::cases::<S>());
    cases.extend(refusals::cases::<S>());
    cases.extend(writing::cases::<S>());
    cases.extend(trouble::cases::<S>());
    cases.extend(counting::cases::<S>());
    cases.extend(changing::cases::<S>());
    cases.extend(scanning::cases::<S>());
    cases
}
