//! How the server is reached: a URL, credentials that may stand elsewhere, and futures that are never dropped.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, ConnectionString, WriteConcern};
use mongodb::{Client, Database};
use rowstorm_sink::{CONNECT_MAX, ConnectOptions, Delivery, SinkError};
use tokio::sync::OnceCell;

use crate::WRITERS_MAX;
use crate::error;

/// The database, where the URL names none.
const DATABASE: &str = "rowstorm";

/// An option of the URL that is ours.
const OWN_OPTION: &str = "transactions";

/// Polls a future of the driver's to its end, in a task of its own, whatever becomes of the one who waits.
///
/// A future that is dropped half-way leaves the driver's pool in a state of no meaning (its manual says so), and the runner
/// may drop any: it gives up on what takes too long. So this is the one task that is spawned outside of `rowstorm-run`,
/// one for each command (docs/decisions/0006).
pub(crate) async fn to_the_end<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    match tokio::spawn(future).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => panic!("the runtime is shutting down: {cancelled}"),
        },
    }
}

/// A server, or several that hold the same data, that commands can be sent to.
#[derive(Clone)]
pub(crate) struct Server {
    from: ConnectionString,
    app_name: String,
    database: String,
    /// Whether changes are done in transactions, which a server alone does not have.
    transactions: bool,
    /// Made with the first command, and with the first after [`Server::close`]; its clones share one pool.
    client: Arc<Mutex<Arc<OnceCell<Client>>>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server")
            .field("hosts", &self.from.host_info)
            .field("database", &self.database)
            .field("app_name", &self.app_name)
            .field("transactions", &self.transactions)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Reads the URL. No IO.
    pub(crate) fn new(from: &ConnectOptions) -> Result<Server, SinkError> {
        let (url, asked) = without_transactions(with_credentials(from));
        let parsed = url.and_then(|url| ConnectionString::parse(url).ok());
        let Some(parsed) = parsed else {
            // Neither the URL nor the parser's own words: both can quote a password.
            let expected = "expected mongodb://[USER[:PASSWORD]@]HOST[:PORT][,…][/DATABASE][?w=majority], with \
                            characters such as `@` or `/` in the password written as %40 or %2F, and options as the \
                            driver knows them";
            return Err(SinkError::fatal(
                "usage",
                format!("this is not a URL of MongoDB; {expected}"),
            ));
        };
        if parsed.write_concern.as_ref().is_some_and(|concern| !acknowledges(concern)) {
            let message = "w=0 asks for no answer, and rows are counted by answers: leave it out, or take w=1";
            return Err(SinkError::fatal("usage", message));
        }
        let transactions = match asked.as_deref() {
            None => parsed.replica_set.is_some(),
            Some("true") => true,
            Some("false") => false,
            Some(_) => {
                let message =
                    "`transactions=` in the URL is `true` (a replica set or a cluster) or `false`";
                return Err(SinkError::fatal("usage", message));
            }
        };
        let app_name = from.application_name();
        let database = parsed.default_database.clone().unwrap_or_else(|| DATABASE.to_owned());
        Ok(Server { from: parsed, app_name, database, transactions, client: Arc::default() })
    }

    /// Whether changes are done in transactions: the URL names a replica set, or says so.
    pub(crate) fn has_transactions(&self) -> bool {
        self.transactions
    }

    pub(crate) fn app_name(&self) -> &str {
        &self.app_name
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// What an insert asks of the server before it answers; `None` leaves it to the server's default.
    pub(crate) fn write_concern(&self) -> Option<Document> {
        let concern = self.from.write_concern.as_ref()?;
        let mut document = doc! {};
        if let Some(w) = &concern.w {
            document.insert("w", mongodb::bson::serialize_to_bson(w).ok()?);
        }
        if let Some(journal) = concern.journal {
            document.insert("j", journal);
        }
        if let Some(limit) = concern.w_timeout {
            document.insert("wtimeout", limit.as_millis() as i64);
        }
        (!document.is_empty()).then_some(document)
    }

    /// The database, connected as far as the driver connects ahead: not at all.
    pub(crate) async fn open(&self) -> Result<Database, SinkError> {
        let cell = Arc::clone(&self.client());
        let client = cell.get_or_try_init(|| async {
            let (from, app_name) = (self.from.clone(), self.app_name.clone());
            to_the_end(async move { client(from, app_name).await }).await
        });
        Ok(client.await.map_err(failed)?.database(&self.database))
    }

    /// Ends the server's sessions and the client's tasks. A client that is dropped does so in the background, and in a runtime that
    /// ends meanwhile its task finds the pool gone and panics (driver 3.9).
    pub(crate) async fn close(&self) {
        // Another writer, changer, scan or command under way, of another run perhaps.
        if Arc::strong_count(&self.client) > 1 {
            return;
        }
        let cell = std::mem::take(&mut *self.client());
        if let Some(client) = cell.get().cloned() {
            to_the_end(async move { client.shutdown().await }).await;
        }
    }

    fn client(&self) -> MutexGuard<'_, Arc<OnceCell<Client>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a job of one or more commands on the database.
    pub(crate) async fn run<T, F>(
        &self,
        job: impl FnOnce(Database) -> F,
    ) -> Result<mongodb::error::Result<T>, SinkError>
    where
        T: Send + 'static,
        F: Future<Output = mongodb::error::Result<T>> + Send + 'static,
    {
        let (job, used) = (job(self.open().await?), Arc::clone(&self.client));
        let whole = async move {
            let done = job.await;
            drop(used);
            done
        };
        Ok(to_the_end(whole).await)
    }

    /// The same, where an error means that nothing was written.
    pub(crate) async fn ask<T, F>(&self, job: impl FnOnce(Database) -> F) -> Result<T, SinkError>
    where
        T: Send + 'static,
        F: Future<Output = mongodb::error::Result<T>> + Send + 'static,
    {
        self.run(job).await?.map_err(failed)
    }
}

async fn client(from: ConnectionString, app_name: String) -> mongodb::error::Result<Client> {
    let mut options = ClientOptions::parse(from).await?;
    options.app_name = Some(app_name);
    // Retries are the runner's, who counts them.
    options.retry_writes = Some(false);
    options.retry_reads = Some(false);
    options.max_pool_size = Some(options.max_pool_size.unwrap_or_default().max(WRITERS_MAX));
    options.server_selection_timeout.get_or_insert(CONNECT_MAX);
    options.connect_timeout.get_or_insert(CONNECT_MAX);
    Client::with_options(options)
}

fn acknowledges(concern: &WriteConcern) -> bool {
    concern.journal == Some(true) || concern.w != Some(mongodb::options::Acknowledgment::Nodes(0))
}

/// The URL with the credentials from elsewhere in it, as if they had stood there; `None` if it is no URL at all.
fn with_credentials(from: &ConnectOptions) -> Option<String> {
    if from.username.is_none() && from.password.is_none() {
        return Some(from.url.clone());
    }
    let (scheme, rest) = from.url.split_once("://")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (who, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (name, secret) = match who.split_once(':') {
        Some((name, secret)) => (name, Some(secret)),
        None => (who, None),
    };
    let name = from.username.as_deref().map_or_else(|| name.to_owned(), percent);
    let secret = from.password.as_deref().map(percent).or_else(|| secret.map(str::to_owned));
    let secret = secret.map(|secret| format!(":{secret}")).unwrap_or_default();
    Some(format!("{scheme}://{name}{secret}@{hosts}{tail}"))
}

/// The URL without our own option, which the driver does not know, and what it says.
fn without_transactions(url: Option<String>) -> (Option<String>, Option<String>) {
    let Some((head, options)) = url.as_deref().and_then(|url| url.split_once('?')) else {
        return (url, None);
    };
    let own = |option: &&str| option.split_once('=').is_some_and(|it| it.0 == OWN_OPTION);
    let asked = options.split('&').find(own).and_then(|it| it.split_once('='));
    let rest: Vec<&str> = options.split('&').filter(|option| !own(option)).collect();
    let mark = if rest.is_empty() { "" } else { "?" };
    (Some(format!("{head}{mark}{}", rest.join("&"))), asked.map(|(_, value)| value.to_owned()))
}

/// Everything but letters, digits and `-._~` as `%XX`.
fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Nothing was written by what failed here.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn failed(error: mongodb::error::Error) -> SinkError {
    error::into_error(error::read(&error, Delivery::None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> ConnectOptions {
        ConnectOptions { url: url.into(), ..ConnectOptions::default() }
    }

    #[test]
    fn no_password_is_printed() {
        for url in [
            "mongodb://me:hunter2@localhost/db",
            "mongodb://me:hunter2@localhost,other:27018/db?w=majority",
            "mongodb://me:hunter2@localhost/db?authMechanism=hunter2",
            "mongodb://me:hun/ter2@local host:99999/",
            "mysql://me:hunter2@localhost/db",
        ] {
            let printed = match Server::new(&options(url)) {
                Ok(server) => format!("{server:?} {:?}", options(url)),
                Err(error) => format!("{error} {error:?} {:?}", options(url)),
            };
            assert!(!printed.contains("hunter2") && !printed.contains("ter2"), "{printed}");
        }
    }

    #[test]
    fn credentials_from_elsewhere_come_before_the_urls() {
        let from = |url: &str, username: Option<&str>, password: Option<&str>| {
            with_credentials(&ConnectOptions {
                username: username.map(str::to_owned),
                password: password.map(str::to_owned),
                ..options(url)
            })
            .unwrap()
        };
        assert_eq!(from("mongodb://h/d?w=1", None, None), "mongodb://h/d?w=1");
        assert_eq!(from("mongodb://a:b@h:1,i:2/d", Some("c@"), None), "mongodb://c%40:b@h:1,i:2/d");
        assert_eq!(from("mongodb://a@h?tls=true", None, Some("/x")), "mongodb://a:%2Fx@h?tls=true");
        assert_eq!(from("mongodb+srv://h", Some("u"), Some("p")), "mongodb+srv://u:p@h");
    }

    #[test]
    fn the_url_says_whether_there_are_transactions() {
        let has = |url: &str| Server::new(&options(url)).map(|server| server.has_transactions());
        for (url, wanted) in [
            ("mongodb://h", false),
            ("mongodb://h/d?w=1", false),
            ("mongodb://h,i/d?replicaSet=rs0&w=majority", true),
            ("mongodb://h/?replicaSet=rs0&transactions=false", false),
            ("mongodb://router/?transactions=true", true),
            ("mongodb://me:pw@h/d?w=1&transactions=true&journal=true", true),
        ] {
            assert_eq!(has(url).unwrap(), wanted, "{url}");
        }
        let error = has("mongodb://h/?transactions=yes").unwrap_err();
        assert!(error.to_string().contains("transactions="), "{error}");
    }

    #[test]
    fn the_urls_write_concern_is_asked_for() {
        let concern = |url: &str| Server::new(&options(url)).unwrap().write_concern();
        assert_eq!(concern("mongodb://h"), None);
        assert_eq!(
            concern("mongodb://h/?w=majority&journal=true&wtimeoutMS=500"),
            Some(doc! { "w": "majority", "j": true, "wtimeout": 500_i64 })
        );
        assert_eq!(concern("mongodb://h/?w=2"), Some(doc! { "w": 2 }));
        let error = Server::new(&options("mongodb://h/?w=0")).unwrap_err();
        assert!(error.to_string().contains("w=0"), "{error}");
    }
}
