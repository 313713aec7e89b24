//! How a cluster is reached: a URL with one or several hosts, credentials that may stand elsewhere, and one HTTP client.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use rowstorm_sink::{CONNECT_MAX, ConnectOptions, Delivery, SinkError, SinkErrorKind};

use crate::place::{Compression, Method, Place};

/// A cluster that statements can be sent to.
pub(crate) struct Server {
    client: reqwest::Client,
    place: Place,
    /// Who connects by the PostgreSQL wire.
    pub(crate) login: Login,
    /// Which host is next.
    turn: AtomicUsize,
}

/// What the PostgreSQL wire is told at its start.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) application: String,
    /// How long an answer may take.
    pub(crate) limit: Option<Duration>,
}

/// What a host answered.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

/// A longer answer is no answer: a body that cannot be parsed comes back whole, inside the error.
const ANSWER_BYTES_MAX: usize = 128 << 20;

impl Server {
    /// Reads the URL; opens nothing.
    pub(crate) fn new(options: &ConnectOptions) -> Result<Server, SinkError> {
        let place = Place::parse(&options.url)?;
        // Another part of the process may have chosen a provider already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let username = options.username.as_ref().or(place.username.as_ref());
        let password = options.password.as_ref().or(place.password.as_ref());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // `crate` is the user that every cluster has.
        let user = username.map_or("crate", String::as_str);
        if username.is_some() || password.is_some() {
            headers.insert(AUTHORIZATION, basic(user, password.map_or("", String::as_str))?);
        }
        let login = Login {
            user: user.to_owned(),
            password: password.cloned(),
            application: options.application_name(),
            limit: options.statement_timeout,
        };
        let mut client = reqwest::Client::builder()
            .user_agent(options.application_name())
            .default_headers(headers)
            .connect_timeout(CONNECT_MAX)
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            // What is measured is the way to the database, not to a proxy that the environment names.
            .no_proxy();
        if let Some(limit) = options.statement_timeout {
            client = client.timeout(limit);
        }
        if let Some(path) = &place.authority {
            for certificate in certificates(path)? {
                client = client.add_root_certificate(certificate);
            }
        }
        let client = client.build().map_err(|error| {
            SinkError::fatal("configuration", format!("CrateDB: no HTTP client: {error}"))
        })?;
        Ok(Server { client, place, login, turn: AtomicUsize::new(0) })
    }

    pub(crate) fn schema(&self) -> &str {
        &self.place.schema
    }

    pub(crate) fn method(&self) -> Method {
        self.place.method
    }

    pub(crate) fn compression(&self) -> Compression {
        self.place.compression
    }

    pub(crate) fn hosts(&self) -> usize {
        self.place.hosts.len()
    }

    /// All hosts, the next one first.
    fn in_turn(&self) -> impl Iterator<Item = &String> {
        let (hosts, first) = (&self.place.hosts, self.turn.fetch_add(1, Ordering::Relaxed));
        (0..hosts.len()).map(move |offset| &hosts[first.wrapping_add(offset) % hosts.len()])
    }

    /// The same as addresses of the PostgreSQL wire.
    pub(crate) fn wire_in_turn(&self) -> impl Iterator<Item = String> {
        self.in_turn().map(|host| {
            let name = host.rsplit_once(':').map_or(&**host, |(name, _)| name);
            format!("{name}:{}", self.place.wire_port)
        })
    }

    /// Sends one request to the next host; to another, if nothing listens there.
    pub(crate) async fn post(
        &self,
        body: Bytes,
        compression: Compression,
    ) -> Result<Reply, SinkError> {
        let mut unreachable = None;
        for host in self.in_turn() {
            match self.ask(host, body.clone(), compression).await {
                Err(error) if error.kind == SinkErrorKind::Lost(Delivery::None) => {
                    unreachable = Some(error);
                }
                answered => return answered,
            }
        }
        Err(unreachable.expect("a URL names at least one host"))
    }

    async fn ask(
        &self,
        host: &str,
        body: Bytes,
        compression: Compression,
    ) -> Result<Reply, SinkError> {
        let mut request = self.client.post(format!("{}://{host}/_sql", self.place.scheme()));
        match compression {
            Compression::None => {}
            Compression::Gzip => request = request.header(CONTENT_ENCODING, "gzip"),
        }
        let mut answer = request.body(body).send().await.map_err(|error| lost(host, error))?;
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs));
        let status = answer.status().as_u16();
        let expected = answer.content_length().unwrap_or(0).min(ANSWER_BYTES_MAX as u64);
        let mut body = Vec::with_capacity(expected as usize);
        while let Some(chunk) = answer.chunk().await.map_err(|error| lost(host, error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let message =
                    format!("CrateDB at {host} answered with more than {ANSWER_BYTES_MAX} bytes");
                let kind = SinkErrorKind::Lost(Delivery::InDoubt);
                return Err(SinkError::new(kind, "answer", message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, retry_after, body })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's own Debug shows its headers' names; the place's shows no password.
        out.debug_struct("Server").field("place", &self.place).finish_non_exhaustive()
    }
}

/// RFC 7617. The value is marked as sensitive: no Debug shows it.
fn basic(user: &str, password: &str) -> Result<HeaderValue, SinkError> {
    if user.contains(':') {
        let message = "CrateDB: a user's name that goes over HTTP has no colon";
        return Err(SinkError::fatal("usage", message));
    }
    let token = base64(format!("{user}:{password}").as_bytes());
    let mut value = HeaderValue::from_str(&format!("Basic {token}"))
        .expect("the letters of base 64 stand in a header");
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 4648, for one header in a client's life.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| {
            bits << 8 | u32::from(chunk.get(at).copied().unwrap_or_default())
        });
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

fn certificates(path: &str) -> Result<Vec<reqwest::Certificate>, SinkError> {
    let unusable = |what: String| {
        SinkError::fatal("tls", format!("`ca={path}` in the URL names no certificates: {what}"))
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let read = reqwest::Certificate::from_pem_bundle(&pem);
    read.map_err(|error| unusable(error.to_string()))
}

/// What is left of a request that got no answer.
fn lost(host: &str, error: reqwest::Error) -> SinkError {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut is_tls = false;
    let mut source = Error::source(&error);
    while let Some(cause) = source {
        is_tls |= says_tls(cause);
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    if is_tls {
        let message = format!(
            "CrateDB at {host}: {words}; `?ca=FILE` in the URL names the certificates to trust"
        );
        return SinkError::fatal("tls", message);
    }
    // A request that found no connection was not sent.
    let delivery = if error.is_connect() { Delivery::None } else { Delivery::InDoubt };
    let verb = if error.is_connect() { "cannot connect to" } else { "no answer from" };
    let message = format!("{verb} CrateDB at {host}: {words}");
    SinkError::new(SinkErrorKind::Lost(delivery), "connection", message)
}

/// An error of input and output shows not what it was made of as its source, but that one's source; and it can be made of another.
fn says_tls(cause: &(dyn Error + 'static)) -> bool {
    let kept = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || kept.is_some_and(|kept| says_tls(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn no_password_is_printed() {
        for url in [
            "crate://me:hunter2@localhost",
            "crate://me:hunter2@localhost:4200,other:4201/doc?gzip=true",
            "crate://me:hunter2@localhost:notaport",
            "crate://me:hunter2@localhost?nonsense=hunter2",
            "crate://me:hunter2@local host:99999/",
            "mysql://me:hunter2@localhost/db",
        ] {
            let options = ConnectOptions { url: url.into(), ..ConnectOptions::default() };
            let printed = match Server::new(&options) {
                Ok(server) => format!("{server:?} {:?} {options:?}", server.client),
                Err(error) => format!("{error} {error:?} {options:?}"),
            };
            assert!(!printed.contains("hunter2"), "{printed}");
            assert!(!printed.contains("bWU6aHVudGVyMg"), "{printed}");
        }
    }
}
