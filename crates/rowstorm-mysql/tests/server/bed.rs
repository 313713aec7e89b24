//! One table, written to and counted.

use mysql_async::prelude::{FromValue, Queryable as _};
use mysql_async::{Conn, Opts, OptsBuilder};
use rowstorm_mysql::{ConnectOptions, Mysql};
use rowstorm_sink::Outcome;
pub(crate) use rowstorm_sink::testing::{
    APPEND, LABEL, RECREATE, document, ints, payload, table, texts, write,
};

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

/// Counts by code, in the order of the codes.
pub(crate) fn refusals(outcome: &Outcome) -> Vec<(u32, u64)> {
    let code = |class: &str| class.split(' ').next().unwrap_or_default().parse().unwrap_or(0);
    let refusals = outcome.rejected.refusals.iter();
    let mut refusals: Vec<_> =
        refusals.map(|refusal| (code(&refusal.class), refusal.count)).collect();
    refusals.sort_unstable();
    refusals
}
