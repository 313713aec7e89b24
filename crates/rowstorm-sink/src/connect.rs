//! What it takes to reach a server, whichever it is.

use std::fmt;
use std::time::Duration;

/// A server that takes no connection in this time is taken as unreachable.
pub const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Where and as whom to connect.
///
/// ```
/// use rowstorm_sink::ConnectOptions;
/// let options = ConnectOptions { url: "postgres://me:secret@localhost/shop".into(), ..Default::default() };
/// assert!(!format!("{options:?}").contains("secret"));
/// assert_eq!(options.application_name(), "rowstorm");
/// ```
#[derive(Clone, Default)]
pub struct ConnectOptions {
    /// The server, as its adapter's URL says it.
    pub url: String,
    /// The user, before the URL's.
    pub username: Option<String>,
    /// The password, before the URL's.
    pub password: Option<String>,
    /// The run's name, for the server's own list of connections.
    pub run: Option<String>,
    /// The server's limit on one statement; a batch that takes longer is undone and
    /// [busy](crate::SinkErrorKind::Busy). `None` leaves the server's own.
    pub statement_timeout: Option<Duration>,
}

impl ConnectOptions {
    /// What connections are called in the server's own list: `rowstorm`, or `rowstorm/RUN`.
    pub fn application_name(&self) -> String {
        match &self.run {
            Some(run) => format!("rowstorm/{run}"),
            None => "rowstorm".to_owned(),
        }
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password, in its authority or as a parameter.
        out.debug_struct("ConnectOptions")
            .field("username", &self.username)
            .field("run", &self.run)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}
