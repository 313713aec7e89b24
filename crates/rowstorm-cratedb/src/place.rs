//! `crate://USER@HOST:4200,HOST:4200/SCHEMA?method=bulk_args&gzip=true`, read.

use std::fmt;

use rowstorm_sink::SinkError;

/// CrateDB's port for HTTP, where a URL names none.
const PORT: u16 = 4200;
/// Its port for the PostgreSQL wire.
const WIRE_PORT: u16 = 5432;

/// What a URL says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) tls: Tls,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    /// `host:port`, as it stands in an HTTP URL; at least one.
    pub(crate) hosts: Vec<String>,
    /// The port of every host for [`Method::Postgres`].
    pub(crate) wire_port: u16,
    pub(crate) schema: String,
    pub(crate) method: Method,
    pub(crate) compression: Compression,
    /// A file of certificates to trust, beside the system's own.
    pub(crate) authority: Option<String>,
}

/// Whether requests go over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    /// `crate://`
    Off,
    /// `crates://`
    On,
}

/// How rows go in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Row by row: `INSERT … VALUES (?, …)` with `bulk_args`. Every row has its own answer.
    BulkArgs,
    /// Column by column: `INSERT … SELECT * FROM UNNEST(?, …)`. The answer is one count.
    Unnest,
    /// Row by row over the PostgreSQL wire, as one bulk. Every row has its own count, and none a reason.
    Postgres,
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// As it is.
    None,
    /// Compressed: for links that carry less than 247 bytes × rows per second.
    Gzip,
}

const EXPECTED: &str = "expected crate://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…][/SCHEMA]\
                        [?method=bulk_args|unnest|postgres&pg_port=PORT&gzip=true|false&ca=FILE], with characters such as `@` or `/` in the \
                        password written as %40 or %2F";

impl Place {
    /// Reads a URL.
    pub(crate) fn parse(text: &str) -> Result<Place, SinkError> {
        // Never the URL itself, nor a part of it: it can hold a password.
        let wrong =
            || SinkError::fatal("usage", format!("this is not a URL of CrateDB; {EXPECTED}"));
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let tls = match scheme {
            "crate" | "cratedb" => Tls::Off,
            "crates" => Tls::On,
            _ => return Err(wrong()),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let (username, password) = match user.map(|user| user.split_once(':').unwrap_or((user, "")))
        {
            Some((user, password)) => (Some(user), Some(password).filter(|it| !it.is_empty())),
            None => (None, None),
        };
        let hosts = hosts.split(',').map(|host| host_and_port(host).ok_or_else(wrong));
        let mut place = Place {
            tls,
            username: username.filter(|user| !user.is_empty()).map(decoded),
            password: password.map(decoded),
            hosts: hosts.collect::<Result<_, _>>()?,
            wire_port: WIRE_PORT,
            schema: if path.is_empty() { "doc".to_owned() } else { decoded(path) },
            method: Method::BulkArgs,
            compression: Compression::None,
            authority: None,
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("method", "bulk_args") => place.method = Method::BulkArgs,
                ("method", "unnest") => place.method = Method::Unnest,
                ("method", "postgres") => place.method = Method::Postgres,
                ("pg_port", port) => place.wire_port = port.parse().map_err(|_| wrong())?,
                ("gzip", "true" | "1" | "") => place.compression = Compression::Gzip,
                ("gzip", "false" | "0") => place.compression = Compression::None,
                ("ca", path) if !path.is_empty() => place.authority = Some(path.to_owned()),
                _ => return Err(wrong()),
            }
        }
        if (place.tls, place.method) == (Tls::On, Method::Postgres) {
            // Rows would go in the open where the URL asks for TLS.
            let message = "CrateDB: `method=postgres` has no TLS here: take `method=bulk_args` (over `crates://`), or \
                           `crate://` where the network is trusted";
            return Err(SinkError::fatal("usage", message));
        }
        Ok(place)
    }

    pub(crate) fn scheme(&self) -> &'static str {
        match self.tls {
            Tls::Off => "http",
            Tls::On => "https",
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Place")
            .field("tls", &self.tls)
            .field("hosts", &self.hosts)
            .field("username", &self.username)
            .field("schema", &self.schema)
            .field("method", &self.method)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

/// A host with its port, if it is one: a URL of its own says so.
fn host_and_port(text: &str) -> Option<String> {
    let url = url::Url::parse(&format!("http://{text}")).ok()?;
    let is_host_alone = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    let host = url.host_str().filter(|host| is_host_alone && !host.is_empty())?;
    // `http://host:80` has the scheme's own port, which a URL forgets.
    let port = url.port().unwrap_or(if text.ends_with(":80") { 80 } else { PORT });
    Some(format!("{host}:{port}"))
}

/// `%40` as `@`. A plus stays a plus, unlike in a form.
fn decoded(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let place = Place::parse("crate://localhost").unwrap();
        assert_eq!(place.hosts, ["localhost:4200"]);
        assert_eq!((place.scheme(), &*place.schema, place.username), ("http", "doc", None));
        assert_eq!((place.method, place.compression), (Method::BulkArgs, Compression::None));

        let place = Place::parse(
            "crates://st%40rm:p%40ss%3Aw%2Frd+1&=2@h1:4200,[::1]:80,10.0.0.7/my%20schema?method=unnest&gzip=true&ca=a.pem",
        )
        .unwrap();
        assert_eq!(place.hosts, ["h1:4200", "[::1]:80", "10.0.0.7:4200"]);
        assert_eq!(place.username.as_deref(), Some("st@rm"));
        assert_eq!(place.password.as_deref(), Some("p@ss:w/rd+1&=2"));
        assert_eq!((place.scheme(), &*place.schema), ("https", "my schema"));
        assert_eq!((place.method, place.compression), (Method::Unnest, Compression::Gzip));
        assert_eq!(place.authority.as_deref(), Some("a.pem"));

        let place = Place::parse("crate://localhost?method=postgres").unwrap();
        assert_eq!((place.method, place.wire_port), (Method::Postgres, 5432));
        let place = Place::parse("crate://localhost?method=postgres&pg_port=5433").unwrap();
        assert_eq!(place.wire_port, 5433);
    }

    #[test]
    fn what_is_no_url_of_cratedb_is_refused() {
        for text in [
            "localhost",
            "http://localhost",
            "crate://",
            "crate://a,,b",
            "crate://a:port",
            "crate://a?method=copy",
            "crate://a?shards=4",
            "crate://a?method=postgres&pg_port=none",
            "crates://a?method=postgres",
            "crate://a#b",
        ] {
            assert_eq!(Place::parse(text).unwrap_err().class, "usage", "{text}");
        }
    }
}
