//! How a connection is opened: a URL, credentials that may stand elsewhere, TLS, and a session that is strict.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, DriverError, Error, IoError, Opts, OptsBuilder};
use rowstorm_gen::TablePlan;
use rowstorm_schema::MysqlMethod;
use rowstorm_sink::{CONNECT_MAX, ConnectOptions, Delivery, SinkError};

use crate::error::{into_error, read};
use crate::url::{Place, Tls};

/// What our sessions are set to. Strict, with nothing made up: no zero dates, no other engine than the one asked for, no
/// number in place of a zero. Warnings are in English, since they say which rows they are of.
const SESSION: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', \
sql_notes = 1, lc_messages = 'en_US'";

/// Lists all warnings of a payload, not only 64 or 1,024. MySQL lets only administrators say so; others have their
/// payloads cut until all are listed.
const LIST_ALL: &str = "SET SESSION max_error_count = 65535";

/// What is asked of every session, since a proxy may keep a setting to itself.
const ASK: &str = "SELECT @@version, @@local_infile, @@max_allowed_packet, @@sql_mode, @@time_zone, \
CONNECTION_ID(), CONCAT(@@hostname, ':', @@port)";

const SPECIFIC_ACCESS_DENIED: u16 = 1227;

/// A server that connections can be opened to.
#[derive(Clone)]
pub(crate) struct Server {
    options: Opts,
    tls: Tls,
    /// The server has no TLS, and none was demanded.
    is_plain: Arc<AtomicBool>,
    statement_timeout: Option<Duration>,
    name: String,
    method: Option<MysqlMethod>,
}

/// An open connection, and what its session says.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) connection: Conn,
    pub(crate) is_mariadb: bool,
    pub(crate) has_local_infile: bool,
    /// The most bytes of one statement.
    pub(crate) packet_bytes: usize,
    pub(crate) sql_mode: String,
    /// What the server calls the connection, and itself: behind one address there may be several.
    pub(crate) id: u64,
    pub(crate) host: String,
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server")
            .field("place", &self.place())
            .field("database", &self.options.db_name())
            .field("username", &self.options.user())
            .field("tls", &self.tls)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Reads the URL. No IO.
    pub(crate) fn new(from: ConnectOptions) -> Result<Server, SinkError> {
        let place = Place::parse(&from.url)?;
        let name = from.application_name();
        let options = OptsBuilder::default()
            .ip_or_hostname(place.host)
            .tcp_port(place.port)
            .socket(place.socket)
            .user(from.username.or(place.username))
            .pass(from.password.or(place.password))
            .db_name(place.database)
            // It would leave TCP for a socket that the server names, and figures with it.
            .prefer_socket(false)
            // An update counts rows that it finds, not only those that it changes.
            .client_found_rows(true)
            // Asked by ourselves, once.
            .max_allowed_packet(Some(1 << 30))
            .wait_timeout(Some(28_800))
            .connect_attribute("program_name", name.clone())
            .ssl_opts(place.tls.options());
        Ok(Server {
            options: options.into(),
            tls: place.tls,
            is_plain: Arc::default(),
            statement_timeout: from.statement_timeout,
            name,
            method: place.method,
        })
    }

    /// What connections are called in `performance_schema.session_connect_attrs`.
    pub(crate) fn application_name(&self) -> &str {
        &self.name
    }

    /// The way in that the URL asks for.
    pub(crate) fn asked(&self) -> MysqlMethod {
        self.method.unwrap_or_default()
    }

    /// The way in that the URL asks for, else the schema.
    pub(crate) fn method(&self, table: &TablePlan) -> MysqlMethod {
        let by_schema = || table.spec.mysql.as_ref().map(|options| options.method);
        self.method.or_else(by_schema).unwrap_or_default()
    }

    /// Where it is, for people: `host:port`, or the socket.
    fn place(&self) -> String {
        match self.options.socket() {
            Some(socket) => socket.to_owned(),
            None => format!("{}:{}", self.options.ip_or_hostname(), self.options.tcp_port()),
        }
    }

    /// Opens a connection.
    pub(crate) async fn open(&self) -> Result<Session, SinkError> {
        let placed = |mut error: SinkError| {
            error.message = format!("cannot connect to {}: {}", self.place(), error.message);
            error
        };
        let failed = |cause: &Error| placed(into_error(read(cause, Delivery::None)));
        match tokio::time::timeout(CONNECT_MAX, self.opening()).await {
            Ok(Ok(session)) => check(session).map_err(placed),
            Ok(Err(error)) => Err(failed(&error)),
            Err(late) => Err(failed(&Error::Io(IoError::Io(std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                format!("no answer within {} s ({late})", CONNECT_MAX.as_secs()),
            ))))),
        }
    }

    async fn opening(&self) -> Result<(Session, String), Error> {
        let mut connection = self.shake_hands().await?;
        connection.query_drop(SESSION).await?;
        match connection.query_drop(LIST_ALL).await {
            Err(Error::Server(error)) if error.code == SPECIFIC_ACCESS_DENIED => {}
            set => set?,
        }
        let row: Option<(String, bool, usize, String, String, u64, String)> =
            connection.query_first(ASK).await?;
        let (version, has_local_infile, packet_bytes, sql_mode, time_zone, id, host) =
            row.ok_or(Error::Driver(DriverError::ConnectionClosed))?;
        if let Some(limit) = self.statement_timeout {
            connection.query_drop(limits(limit, &version)).await?;
        }
        let is_mariadb = is_mariadb(&version);
        let session =
            Session { connection, is_mariadb, has_local_infile, packet_bytes, sql_mode, id, host };
        Ok((session, format!("{version} {time_zone}")))
    }

    async fn shake_hands(&self) -> Result<Conn, Error> {
        let plain = || OptsBuilder::from_opts(self.options.clone()).ssl_opts(None);
        if self.is_plain.load(Ordering::Relaxed) {
            return Conn::new(plain()).await;
        }
        match Conn::new(self.options.clone()).await {
            Err(Error::Driver(DriverError::NoClientSslFlagFromServer))
                if self.tls == Tls::Preferred =>
            {
                self.is_plain.store(true, Ordering::Relaxed);
                Conn::new(plain()).await
            }
            opened => opened,
        }
    }
}

/// Refuses a server that is too old, or a session that is not as it was set.
fn check((session, told): (Session, String)) -> Result<Session, SinkError> {
    let (version, time_zone) = told.rsplit_once(' ').unwrap_or((&told, ""));
    if is_too_old(version) {
        let message = format!(
            "the server's version is {version}; MySQL 8.0.17 or later, or MariaDB 10.4 or later, is needed"
        );
        return Err(SinkError::fatal("version", message));
    }
    if !session.sql_mode.contains("STRICT_ALL_TABLES") || time_zone != "+00:00" {
        let message = format!(
            "the session did not become strict and UTC (sql_mode {:?}, time_zone {time_zone:?}): values would be \
             changed without a word. Is there a proxy between that keeps settings to itself?",
            session.sql_mode
        );
        return Err(SinkError::fatal("session", message));
    }
    Ok(session)
}

fn is_mariadb(version: &str) -> bool {
    version.contains("MariaDB")
}

/// Older servers have no binary collation without padding, or do not enforce checks.
fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
    let version_number = (next(), next(), next());
    if is_mariadb(version) { version_number < (10, 4, 0) } else { version_number < (8, 0, 17) }
}

/// MariaDB ends statements that take too long; MySQL only waits for locks so long.
fn limits(limit: Duration, version: &str) -> String {
    let seconds = limit.as_secs_f64().max(0.001);
    let locks = format!("SET SESSION innodb_lock_wait_timeout = {}", limit.as_secs().max(1));
    if is_mariadb(version) { format!("{locks}, max_statement_time = {seconds:.3}") } else { locks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_printed() {
        for url in [
            "mysql://me:hunter2@localhost/db",
            "mariadb://me:hunter2@localhost/db?ssl-mode=hunter2",
            "mysql://localhost/db?password=hunter2",
            "mysql://me:hunter2@local host:99999/",
            "mysql://me:hunter2@localhost",
            "postgres://me:hunter2@localhost/db",
        ] {
            let options = ConnectOptions { url: url.into(), ..ConnectOptions::default() };
            let printed = match Server::new(options) {
                Ok(server) => format!("{server:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!printed.contains("hunter2"), "{printed}");
        }
    }

    #[test]
    fn credentials_from_elsewhere_come_before_the_urls() {
        let options = ConnectOptions {
            url: "mysql://a:b@db.example:3307/shop".into(),
            username: Some("c".into()),
            ..ConnectOptions::default()
        };
        let server = Server::new(options).unwrap();
        assert_eq!(server.options.user(), Some("c"));
        assert_eq!(server.options.pass(), Some("b"));
        assert_eq!(server.place(), "db.example:3307");
    }

    #[test]
    fn old_servers_are_told_apart() {
        for (version, old) in [
            ("5.7.44", true),
            ("8.0.16", true),
            ("8.0.36-28", false),
            ("9.7.4-2", false),
            ("10.3.39-MariaDB", true),
            ("10.11.19-MariaDB-0+deb12u1-log", false),
            ("11.8.2-MariaDB", false),
        ] {
            assert_eq!(is_too_old(version), old, "{version}");
        }
    }
}
