//! One server, a schema whose tables are the case's own, and the binary in a folder of its own.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::common::{Ran, ran, rowstorm};

/// What there is to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    Mariadb,
    Mysql,
    Mongodb,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
            Kind::Mariadb => "mariadb",
            Kind::Mysql => "mysql",
            Kind::Mongodb => "mongodb",
        }
    }

    /// The server's address; SQLite's file stands in the case's folder.
    pub(crate) fn url(self) -> Option<String> {
        match self {
            Kind::Sqlite => Some("sqlite:rows.db".to_owned()),
            Kind::Postgres | Kind::Mariadb | Kind::Mysql | Kind::Mongodb => {
                let name = self.name().to_uppercase();
                std::env::var(format!("ROWSTORM_TEST_{name}")).ok().filter(|url| !url.is_empty())
            }
        }
    }

    pub(crate) fn has_log(self) -> bool {
        matches!(self, Kind::Postgres | Kind::Mariadb | Kind::Mysql)
    }

    fn has_transactions(self) -> bool {
        self != Kind::Mongodb
    }
}

/// What every server takes.
const SCHEMA: &str = "
version: 1
tables:
  NAME_people:
    key: [id]
    preload: 400
    columns:
      id:     { type: bigint, gen: sequence }
      name:   { type: text, gen: { fake: first_name } }
      level:  { type: int, gen: { uniform: [1, 4] } }
      seen:   { type: timestamp, gen: now }
  NAME_orders:
    key: [id]
    preload: 1600
    columns:
      id:     { type: bigint, gen: sequence }
      person: { type: bigint, gen: { ref: { table: NAME_people, skew: { zipf: 1.1 } } } }
      amount: { type: 'decimal(10,2)', gen: { log_normal: { median: 40, sigma: 0.8 } }, nulls: 0.1 }
      status: { type: text, gen: { states: { start: [open], next: { open: [paid], paid: { sent: 9, lost: 1 } } } } }
      weight: { type: float, gen: { normal: { mean: 5, stdev: 2 } } }
  NAME_tokens:
    key: [token]
    preload: 320
    columns:
      token:  { type: uuid, gen: uuid_v4 }
      uses:   { type: int, gen: { uniform: [0, 1000000] } }
changes:
  streams: 16
  TRANSACTIONS
  mix:
    - { insert: NAME_people, weight: 5 }
    - { update: NAME_people, set: [name, seen], pick: { hotspot: 0.1 }, weight: 10 }
    - { update: NAME_people, set: [level], weight: 10 }
    - { insert: NAME_orders, weight: 20 }
    - { update: NAME_orders, set: [status], pick: latest, weight: 15 }
    - { update: NAME_orders, set: [amount, weight], pick: { zipf: 1.2 }, weight: 20 }
    - { delete: NAME_orders, weight: 10 }
    - { update: NAME_tokens, set: [uses], weight: 5 }
    - { insert: NAME_tokens, weight: 2 }
    REKEY
";

/// One case on one server.
pub(crate) struct Bed {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    pub(crate) tables: [String; 3],
    pub(crate) folder: tempfile::TempDir,
}

impl Bed {
    pub(crate) fn new(kind: Kind, case: &str) -> Bed {
        // Names that no two cases share: `rs_oneseed…`.
        let short: String =
            case.split('_').take(7).filter_map(|word| word.chars().next()).collect();
        let name = format!("rs_{short}");
        let url = kind.url().expect("the case needs its server");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (transactions, rekey) = if kind.has_transactions() {
            let rekey = format!("- {{ rekey: {name}_tokens, pick: uniform, weight: 3 }}");
            ("transaction: 20 rows\n  rollback: 0.1", rekey)
        } else {
            ("transaction: batch", String::new())
        };
        let text = SCHEMA
            .replace("NAME", &name)
            .replace("TRANSACTIONS", transactions)
            .replace("REKEY", &rekey);
        std::fs::write(folder.path().join("s.yaml"), text).expect("our own folder");
        let tables = ["orders", "people", "tokens"].map(|table| format!("{name}_{table}"));
        Bed { kind, url, tables, folder }
    }

    /// `rowstorm run s.yaml --to URL`, and more, separated by blanks.
    pub(crate) fn command(&self, more: &str) -> Command {
        let mut arguments = vec!["run", "s.yaml", "--to", &self.url, "-q", "--progress", "off"];
        arguments.extend(more.split_whitespace());
        rowstorm(self.folder.path(), &arguments)
    }

    pub(crate) fn run(&self, more: &str) -> Ran {
        ran(&mut self.command(more))
    }

    /// Runs it, and it must end well.
    pub(crate) fn done(&self, more: &str) {
        let done = self.run(more);
        assert_eq!(done.code, Some(0), "{more}: {}", done.stderr);
    }

    /// Starts it.
    pub(crate) fn start(&self, more: &str) -> Child {
        let mut command = self.command(more);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("the binary starts")
    }

    /// `rowstorm verify RECORD --full`, as JSON, and its exit code.
    pub(crate) fn verify(&self, record: &str) -> (Option<i32>, Value) {
        let arguments = ["verify", record, "--at", &self.url, "--full", "--json"];
        let done = ran(&mut rowstorm(self.folder.path(), &arguments));
        let found = serde_json::from_str(&done.stdout);
        (done.code, found.unwrap_or_else(|_| panic!("{}{}", done.stdout, done.stderr)))
    }

    pub(crate) fn record(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join(name)).expect("a record");
        serde_json::from_str(&text).expect("the record is JSON")
    }

    /// Waits until the run whose record this is has changed rows: behind 32 bytes its progress has two numbers for each stream.
    pub(crate) async fn changes_begun(&self, record: &str, child: &mut Child) {
        let progress = self.folder.path().join(format!("{record}.ops"));
        let begun =
            || std::fs::read(&progress).is_ok_and(|bytes| bytes[32..].iter().any(|byte| *byte > 0));
        while !begun() {
            assert!(child.try_wait().expect("our own child").is_none(), "the run ended early");
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
}
