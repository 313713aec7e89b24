//! How a connection is opened: a URL, credentials that may stand elsewhere, and limits on waiting.

use std::fmt;
use std::time::Duration;

use rowstorm_sink::{CONNECT_MAX, ConnectOptions, Delivery, SinkError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::error::{into_error, trouble};

/// Runs statements without parameters; how many rows they touched.
pub(crate) async fn run(connection: &mut PgConnection, sql: &str) -> Result<u64, sqlx::Error> {
    // As text, the statements go out as one simple query, and several of them are one transaction.
    connection.execute(sql).await.map(|done| done.rows_affected())
}

/// A server that connections can be opened to.
#[derive(Clone)]
pub(crate) struct Server {
    options: PgConnectOptions,
    statement_timeout: Option<Duration>,
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server")
            .field("place", &self.place())
            .field("database", &self.options.get_database())
            .field("username", &self.options.get_username())
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Reads the URL. No IO but the password file of libpq (`~/.pgpass`).
    pub(crate) fn new(from: ConnectOptions) -> Result<Server, SinkError> {
        let known =
            ["postgres://", "postgresql://"].iter().any(|scheme| from.url.starts_with(scheme));
        let parsed = if known { from.url.parse::<PgConnectOptions>().ok() } else { None };
        let name = from.application_name();
        let Some(mut options) = parsed else {
            // Neither the URL nor the parser's own words: both can quote a password.
            let expected = "expected postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?sslmode=MODE], with \
                            characters such as `@` or `/` in the password written as %40 or %2F";
            return Err(SinkError::fatal(
                "usage",
                format!("this is not a URL of PostgreSQL; {expected}"),
            ));
        };
        if let Some(username) = from.username {
            options = options.username(&username);
        }
        if let Some(password) = from.password {
            options = options.password(&password);
        }
        let options = options.application_name(&name).disable_statement_logging();
        Ok(Server { options, statement_timeout: from.statement_timeout })
    }

    pub(crate) fn application_name(&self) -> &str {
        self.options.get_application_name().unwrap_or_default()
    }

    /// Where it is, for people: `host:port`, or the socket's folder.
    fn place(&self) -> String {
        match self.options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }

    /// Opens a connection.
    pub(crate) async fn open(&self) -> Result<PgConnection, SinkError> {
        let failed = |cause| {
            let mut error = into_error(trouble(&cause, Delivery::None));
            error.message = format!("cannot connect to {}: {}", self.place(), error.message);
            error
        };
        let opening = async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            if let Some(limit) = self.statement_timeout {
                // Not as a parameter of the connection: poolers refuse those. 0 would mean no limit.
                let limit = format!("SET statement_timeout = {}", limit.as_millis().max(1));
                run(&mut connection, &limit).await?;
            }
            Ok(connection)
        };
        match tokio::time::timeout(CONNECT_MAX, opening).await {
            Ok(opened) => opened.map_err(failed),
            Err(late) => Err(failed(sqlx::Error::Io(std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                format!("no answer within {} s ({late})", CONNECT_MAX.as_secs()),
            )))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_printed() {
        for url in [
            "postgres://me:hunter2@localhost/db",
            "postgres://localhost/db?user=me&password=hunter2",
            "postgres://me:hunter2@localhost/db?sslmode=hunter2",
            "postgres://me:hunter2@local host:99999/",
            "mysql://me:hunter2@localhost/db",
        ] {
            let options = ConnectOptions { url: url.into(), ..ConnectOptions::default() };
            let printed = match Server::new(options.clone()) {
                Ok(server) => format!("{server:?} {options:?}"),
                Err(error) => format!("{error} {error:?} {options:?}"),
            };
            assert!(!printed.contains("hunter2"), "{printed}");
        }
    }

    #[test]
    fn credentials_from_elsewhere_come_before_the_urls() {
        let options = ConnectOptions {
            url: "postgresql://a:b@db.example:5433/shop".into(),
            username: Some("c".into()),
            ..ConnectOptions::default()
        };
        let server = Server::new(options.clone()).unwrap();
        assert_eq!(server.options.get_username(), "c");
        assert_eq!(server.place(), "db.example:5433");
    }
}
