//! Reading a target: `mysql://user@host:port/database?ssl-mode=REQUIRED`, with the words that MySQL's own clients know.

use std::path::PathBuf;

use mysql_async::{ClientIdentity, SslOpts};
use rowstorm_schema::MysqlMethod;
use rowstorm_sink::SinkError;

const EXPECTED: &str = "expected mysql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?ssl-mode=MODE], or mariadb://, with \
                        characters such as `@` or `/` in the password written as %40 or %2F";

/// Where a server is, and as whom to connect.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) socket: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) tls: Tls,
    /// `method`: the way in, before the schema's.
    pub(crate) method: Option<MysqlMethod>,
}

/// How much TLS: `ssl-mode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    Disabled,
    /// Where the server has it; its certificate is not looked at. What MySQL's own clients do unless told otherwise.
    Preferred,
    /// Always; the certificate is not looked at.
    Required,
    /// Always, and the certificate's issuer is known.
    VerifyCa(Files),
    /// The host's name is the certificate's, too.
    VerifyIdentity(Files),
}

/// Files in PEM, by the URL's words for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// `ssl-ca`: who may sign; the public authorities unless said.
    ca: Option<PathBuf>,
    /// `ssl-cert` and `ssl-key`: who we are.
    certificate: Option<(PathBuf, PathBuf)>,
}

impl Place {
    pub(crate) fn parse(text: &str) -> Result<Place, SinkError> {
        let known = ["mysql://", "mariadb://"].iter().any(|scheme| text.starts_with(scheme));
        // Neither the URL nor the parser's own words: both can quote a password.
        let usage = |what: &str| SinkError::fatal("usage", format!("{what}; {EXPECTED}"));
        let url = if known { url::Url::parse(text).ok() } else { None };
        let url = url.ok_or_else(|| usage("this is not a URL of MySQL"))?;
        let decoded = |text: &str| {
            let text: String = url::form_urlencoded::parse(
                format!("={}", text.replace('+', "%2B").replace('&', "%26")).as_bytes(),
            )
            .map(|(_, value)| value.into_owned())
            .collect();
            Some(text).filter(|text| !text.is_empty())
        };
        let Some(database) = decoded(url.path().trim_start_matches('/')) else {
            return Err(usage("the URL names no database"));
        };
        let host = url.host_str().unwrap_or("localhost");
        let mut place = Place {
            // An IPv6 address stands in brackets.
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(3306),
            socket: None,
            username: decoded(url.username()),
            password: url.password().and_then(decoded),
            database: Some(database),
            tls: Tls::Preferred,
            method: None,
        };
        let (mut mode, mut files) = (None, Files::default());
        let (mut certificate, mut key) = (None, None);
        for (name, value) in url.query_pairs() {
            let value = value.into_owned();
            match &*name {
                "ssl-mode" | "sslmode" | "ssl_mode" => mode = Some(value),
                "require_ssl" if value == "true" => mode = Some("REQUIRED".to_owned()),
                "require_ssl" => mode = Some("PREFERRED".to_owned()),
                "ssl-ca" | "ssl_ca" => files.ca = Some(value.into()),
                "ssl-cert" | "ssl_cert" => certificate = Some(PathBuf::from(value)),
                "ssl-key" | "ssl_key" => key = Some(PathBuf::from(value)),
                "socket" => place.socket = Some(value),
                "method" => {
                    let method = method(&value);
                    place.method =
                        Some(method.ok_or_else(|| usage("method is load, insert or auto"))?);
                }
                _ => {
                    return Err(usage(
                        "the URL has an unknown parameter; known are ssl-mode, require_ssl, ssl-ca, ssl-cert, ssl-key, \
                         socket and method",
                    ));
                }
            }
        }
        files.certificate = certificate.zip(key);
        place.tls = Tls::named(mode.as_deref(), files).ok_or_else(|| {
            usage(
                "ssl-mode is one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY, and files go with the \
                 last two",
            )
        })?;
        Ok(place)
    }
}

fn method(word: &str) -> Option<MysqlMethod> {
    match word {
        "auto" => Some(MysqlMethod::Auto),
        "load" => Some(MysqlMethod::Load),
        "insert" => Some(MysqlMethod::Insert),
        _ => None,
    }
}

impl Tls {
    fn named(mode: Option<&str>, files: Files) -> Option<Tls> {
        let mode = mode.map(|mode| mode.to_ascii_uppercase().replace('-', "_"));
        let has_files = files != Files::default();
        match mode.as_deref() {
            // A file is given in order to be looked at.
            None if has_files => Some(Tls::VerifyCa(files)),
            Some("VERIFY_CA") => Some(Tls::VerifyCa(files)),
            Some("VERIFY_IDENTITY") => Some(Tls::VerifyIdentity(files)),
            Some(_) if has_files => None,
            None | Some("PREFERRED") => Some(Tls::Preferred),
            Some("DISABLED") => Some(Tls::Disabled),
            Some("REQUIRED") => Some(Tls::Required),
            Some(_) => None,
        }
    }

    /// As the driver wants it.
    pub(crate) fn options(&self) -> Option<SslOpts> {
        let with = |files: &Files| {
            let mut options = SslOpts::default();
            if let Some(ca) = &files.ca {
                options = options
                    .with_root_certs(vec![ca.clone().into()])
                    .with_disable_built_in_roots(true);
            }
            let identity = files.certificate.clone();
            options.with_client_identity(
                identity.map(|(chain, key)| ClientIdentity::new(chain.into(), key.into())),
            )
        };
        match self {
            Tls::Disabled => None,
            Tls::Preferred | Tls::Required => {
                Some(SslOpts::default().with_danger_accept_invalid_certs(true))
            }
            Tls::VerifyCa(files) => Some(with(files).with_danger_skip_domain_validation(true)),
            Tls::VerifyIdentity(files) => Some(with(files)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_mysqls_clients_mean_them() {
        let place = Place::parse(
            "mysql://me:p%40ss+w@db.example:3307/shop?ssl-mode=verify_ca&ssl-ca=/ca.pem",
        )
        .unwrap();
        assert_eq!((place.host.as_str(), place.port), ("db.example", 3307));
        assert_eq!(place.username.as_deref(), Some("me"));
        assert_eq!(place.password.as_deref(), Some("p@ss+w"));
        assert_eq!(place.database.as_deref(), Some("shop"));
        let files = Files { ca: Some("/ca.pem".into()), certificate: None };
        assert_eq!(place.tls, Tls::VerifyCa(files));
        for (parameters, tls) in [
            ("", Tls::Preferred),
            ("?ssl-mode=DISABLED", Tls::Disabled),
            ("?require_ssl=true", Tls::Required),
            ("?ssl-mode=REQUIRED", Tls::Required),
            ("?sslmode=verify-identity", Tls::VerifyIdentity(Files::default())),
        ] {
            let place = Place::parse(&format!("mariadb://[::1]/shop{parameters}")).unwrap();
            assert_eq!((place.tls, place.host.as_str(), place.port), (tls, "::1", 3306));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (url, part) in [
            ("mysql://localhost", "no database"),
            ("mysql://localhost/", "no database"),
            ("mysql://localhost/db?ssl-mode=maybe", "ssl-mode is one of"),
            ("mysql://localhost/db?ssl-mode=required&ssl-ca=/ca.pem", "files go with"),
            ("mysql://localhost/db?useSSL=false", "unknown parameter"),
            ("mysql://localhost/db?method=copy", "method is load"),
            ("pg://localhost/db", "not a URL of MySQL"),
        ] {
            let error = Place::parse(url).err().expect("it is refused");
            assert!(error.message.contains(part), "{error}");
        }
    }
}
