//! One table, written to and counted.

use std::sync::Arc;

use mysql_async::prelude::{FromValue, Queryable as _};
use mysql_async::{Conn, Opts, OptsBuilder};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Batch, Bitmap, ColumnData, Plan, PlanOptions, Strings, TablePlan, Values};
use rowstorm_mysql::{ConnectOptions, Mysql};
use rowstorm_sink::{
    Encoder as _, IndexTime, Outcome, Payload, Prepare, PrepareMode, Sink, Writer,
};

pub(crate) const RECREATE: Prepare =
    Prepare { mode: PrepareMode::Recreate, indexes: IndexTime::Before };
pub(crate) const APPEND: Prepare = Prepare { mode: PrepareMode::Append, indexes: IndexTime::None };

/// One server.
pub(crate) struct Bed {
    pub(crate) url: String,
    pub(crate) is_mariadb: bool,
}

impl Bed {
    pub(crate) fn options(&self) -> ConnectOptions {
        ConnectOptions { url: self.url.clone(), ..ConnectOptions::default() }
    }

    pub(crate) async fn sink(&self) -> Mysql {
        Mysql::connect_with(self.options()).await.expect("the server takes a connection")
    }

    /// As another user.
    pub(crate) async fn sink_as(&self, username: &str, password: &str) -> Mysql {
        let (username, password) = (Some(username.to_owned()), Some(password.to_owned()));
        let options = ConnectOptions { username, password, ..self.options() };
        Mysql::connect_with(options).await.expect("the server lets the user in")
    }

    /// By one way in.
    pub(crate) async fn sink_by(&self, method: &str) -> Mysql {
        let options =
            ConnectOptions { url: format!("{}?method={method}", self.url), ..self.options() };
        Mysql::connect_with(options).await.expect("the server takes a connection")
    }

    pub(crate) async fn connection(&self) -> Conn {
        let url = self.url.replacen("mariadb:", "mysql:", 1);
        let options = OptsBuilder::from_opts(Opts::from_url(&url).expect("the variable's URL"));
        Conn::new(options.prefer_socket(false)).await.expect("the server takes a connection")
    }

    /// Runs SQL, with a connection of its own.
    pub(crate) async fn sql(&self, text: &str) {
        self.connection().await.query_drop(text).await.expect("the case's own SQL runs");
    }

    /// The one value of a query.
    pub(crate) async fn ask<T: FromValue + Send + 'static>(&self, query: &str) -> T {
        let value = self.connection().await.query_first(query).await.expect("the query runs");
        value.expect("a value")
    }

    /// The id of the connection whose statement has these words and waits for a lock, once there is one.
    pub(crate) async fn waiting(&self, words: &str) -> u64 {
        let find = format!(
            "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx
             WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE '%{words}%'"
        );
        let mut connection = self.connection().await;
        loop {
            // What is asked for more often than ten times a second, by all together, is answered from memory.
            connection.query_drop("DO SLEEP(0.2 + RAND() / 5)").await.expect("it waits");
            let id = connection.query_first(find.as_str()).await.expect("the list of transactions");
            if let Some(id) = id {
                return id;
            }
        }
    }
}

/// A table with the bigint key `id`, and further columns as the document has them.
pub(crate) fn table(name: &str, columns: &str) -> Arc<TablePlan> {
    document(&format!(
        "version: 1\ntables:\n  {name}:\n    key: [id]\n    columns:\n      id: {{ type: bigint, gen: sequence }}\n{columns}"
    ))
}

/// The first table of a document.
pub(crate) fn document(text: &str) -> Arc<TablePlan> {
    let schema = Schema::parse(text, Format::Yaml, "case.yaml").expect("the case's schema");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("the case's schema compiles");
    plan.tables()[0].clone()
}

pub(crate) const LABEL: &str =
    "      label: { type: text, gen: { text: { bytes: 4 } }, nulls: 0.5 }\n";

pub(crate) fn payload(sink: &Mysql, table: &TablePlan, columns: Vec<ColumnData>) -> Payload {
    let rows = 0..columns[0].values.len() as u64;
    let batch = Batch { rows: rows.clone(), series: Vec::new(), columns };
    let mut payload = Payload { rows, ..Payload::default() };
    let mut encoder = sink.encoder(table);
    encoder.begin(&mut payload);
    encoder.encode(&batch, &mut payload);
    encoder.end(&mut payload);
    payload
}

pub(crate) fn ints(values: impl IntoIterator<Item = i64>) -> ColumnData {
    ColumnData { values: Values::Int(values.into_iter().collect()), valid: None }
}

/// Texts; "" is null.
pub(crate) fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> ColumnData {
    let (mut strings, mut valid) = (Strings::default(), Bitmap::default());
    for value in values {
        strings.push(value.as_bytes());
        valid.push(!value.is_empty());
    }
    ColumnData { values: Values::Text(strings), valid: Some(valid) }
}

pub(crate) async fn write(sink: &Mysql, table: &Arc<TablePlan>, payload: &Payload) -> Outcome {
    let mut writer = sink.writer(table).await.expect("a writer opens");
    let outcome = writer.write(payload).await.expect("the write is answered");
    assert_eq!(outcome.rows(), payload.len(), "{outcome:?}");
    outcome
}

/// Counts by code, in the order of the codes.
pub(crate) fn refusals(outcome: &Outcome) -> Vec<(u32, u64)> {
    let code = |class: &str| class.split(' ').next().unwrap_or_default().parse().unwrap_or(0);
    let refusals = outcome.rejected.refusals.iter();
    let mut refusals: Vec<_> =
        refusals.map(|refusal| (code(&refusal.class), refusal.count)).collect();
    refusals.sort_unstable();
    refusals
}
