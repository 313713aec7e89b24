//! Where rows go, as a URL: `sqlite:PATH`, `postgres://…`, `mysql://…`, `mongodb://…`, `crate://…`, `file:DIR`, `null:`, `memory:`.

mod hosts;
mod open;

use std::fmt;
use std::path::PathBuf;

use rowstorm_sink::{BoxSink, Memory, SinkError};

/// A parsed target. Its `Debug` and `Display` never show a password.
///
/// ```
/// use rowstorm::Target;
/// let target = Target::parse("postgres://me:secret@db.example.org/app").unwrap();
/// assert_eq!(target.to_string(), "postgres://db.example.org/app");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by its URL.
    Postgres(Secret),
    /// A MySQL or MariaDB server, by its URL.
    Mysql(Secret),
    /// A MongoDB server, replica set or cluster, by its URL.
    Mongodb(Secret),
    /// A CrateDB cluster, by its URL.
    Cratedb(Secret),
    /// A folder of files.
    Files {
        /// The folder.
        folder: PathBuf,
        /// `csv`, `jsonl` or `parquet`.
        format: String,
        /// The part of each file's name that tells shards apart: `2-of-4`.
        part: Option<String>,
    },
    /// Generates and encodes for a wire, sends nothing.
    Null {
        /// The wire's name: `postgres`, `mysql`, `mongodb`, `cratedb`, `sqlite`, `csv`, `jsonl`.
        wire: String,
    },
    /// Rows are kept in memory.
    Memory,
}

/// A text that is used and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being printed.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// Who writes. What is given here wins over what a URL says.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The user.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
}

/// Why a text is not a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No known scheme in front.
    #[error(
        "`{scheme}` is no target; expected one of: sqlite:PATH, postgres://…, mysql://…, mongodb://…, crate://…, file:DIR, null:, memory:"
    )]
    Unknown {
        /// What stood before the colon.
        scheme: String,
    },
    /// The rest of the URL is wrong.
    #[error("the {scheme} target {problem}; expected {expected}")]
    Invalid {
        /// The scheme.
        scheme: &'static str,
        /// What is wrong.
        problem: &'static str,
        /// What would be right.
        expected: &'static str,
    },
}

impl Target {
    /// Reads a target. Opens nothing.
    ///
    /// # Errors
    /// [`TargetError`], which never repeats the URL: it may hold a password.
    pub fn parse(text: &str) -> Result<Target, TargetError> {
        let (scheme, rest) = text.split_once(':').ok_or(TargetError::Unknown {
            // Without a colon there is no password either; still, show no more than a word.
            scheme: text.chars().take(24).collect(),
        })?;
        match scheme {
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => postgres(text),
            "mysql" | "mariadb" => mysql(text),
            "file" => files(rest),
            "null" => Ok(Target::Null {
                wire: if rest.is_empty() { default_wire().to_owned() } else { rest.to_owned() },
            }),
            "memory" => Ok(Target::Memory),
            "mongodb" | "mongodb+srv" => mongodb(text),
            "crate" | "crates" | "cratedb" => cratedb(text),
            other => Err(TargetError::Unknown { scheme: other.chars().take(24).collect() }),
        }
    }

    /// The database's own name, for reports: "PostgreSQL".
    pub fn name(&self) -> &'static str {
        match self {
            Target::Sqlite(_) => "SQLite",
            Target::Postgres(_) => "PostgreSQL",
            Target::Mysql(url) if url.expose().starts_with("mariadb:") => "MariaDB",
            Target::Mysql(_) => "MySQL",
            Target::Mongodb(_) => "MongoDB",
            Target::Cratedb(_) => "CrateDB",
            Target::Files { .. } => "files",
            Target::Null { .. } => "null",
            Target::Memory => "memory",
        }
    }

    /// The same for part `index` of `count`, from 1: each part has files of its own (`cpu.2-of-4.csv`). A database keeps
    /// the rows of all parts in one table.
    #[must_use]
    pub fn for_part(self, index: u32, count: u32) -> Target {
        match self {
            Target::Files { folder, format, part: _ } => {
                Target::Files { folder, format, part: Some(format!("{index}-of-{count}")) }
            }
            other => other,
        }
    }

    /// Makes the sink. No connection is opened before it is needed, so that `explain` touches nothing.
    ///
    /// # Errors
    /// [`SinkError`] if the URL holds options that the driver does not know, or this build lacks the feature.
    pub fn open(&self, credentials: &Credentials) -> Result<BoxSink, SinkError> {
        match self {
            Target::Sqlite(path) => open::sqlite(path),
            Target::Postgres(url) => open::postgres(url, credentials),
            Target::Mysql(url) => open::mysql(url, credentials),
            Target::Mongodb(url) => open::mongodb(url, credentials),
            Target::Cratedb(url) => open::cratedb(url, credentials),
            Target::Files { folder, format, part } => open::files(folder, format, part.as_deref()),
            Target::Null { wire } => open::null(wire),
            Target::Memory => Ok(BoxSink::new(Memory::new())),
        }
    }
}

fn sqlite(rest: &str) -> Result<Target, TargetError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        return Err(TargetError::Invalid {
            scheme: "sqlite",
            problem: "names no file",
            expected: "sqlite:PATH, for example sqlite:cpu.db",
        });
    }
    Ok(Target::Sqlite(PathBuf::from(path)))
}

fn postgres(text: &str) -> Result<Target, TargetError> {
    const EXPECTED: &str =
        "postgres://USER@HOST:PORT/DATABASE; a password goes into ROWSTORM_PASSWORD";
    let invalid =
        |problem| TargetError::Invalid { scheme: "postgres", problem, expected: EXPECTED };
    let url = url::Url::parse(text).map_err(|_| invalid("is not a URL"))?;
    if url.cannot_be_a_base() {
        return Err(invalid("names no host"));
    }
    Ok(Target::Postgres(Secret(text.to_owned())))
}

fn mysql(text: &str) -> Result<Target, TargetError> {
    const EXPECTED: &str =
        "mysql://USER@HOST:PORT/DATABASE; a password goes into ROWSTORM_PASSWORD";
    let invalid = |problem| TargetError::Invalid { scheme: "mysql", problem, expected: EXPECTED };
    let url = url::Url::parse(text).map_err(|_| invalid("is not a URL"))?;
    if url.cannot_be_a_base() {
        return Err(invalid("names no host"));
    }
    if url.path().trim_start_matches('/').is_empty() {
        return Err(invalid("names no database"));
    }
    Ok(Target::Mysql(Secret(text.to_owned())))
}

fn mongodb(text: &str) -> Result<Target, TargetError> {
    if hosts::redacted(text).is_none() {
        return Err(TargetError::Invalid {
            scheme: "mongodb",
            problem: "names no host that can be read",
            expected: "mongodb://USER@HOST:PORT,HOST:PORT/DATABASE?w=majority; a password goes into ROWSTORM_PASSWORD",
        });
    }
    Ok(Target::Mongodb(Secret(text.to_owned())))
}

fn cratedb(text: &str) -> Result<Target, TargetError> {
    if hosts::redacted(text).is_none() {
        return Err(TargetError::Invalid {
            scheme: "crate",
            problem: "names no host that can be read",
            expected: "crate://USER@HOST:4200,HOST:4200/SCHEMA (crates:// with TLS); a password goes into ROWSTORM_PASSWORD",
        });
    }
    Ok(Target::Cratedb(Secret(text.to_owned())))
}

fn files(rest: &str) -> Result<Target, TargetError> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (folder, format) = match rest.split_once("?format=") {
        Some((folder, format)) => (folder, format),
        None => (rest, "csv"),
    };
    let invalid = |problem| TargetError::Invalid {
        scheme: "file",
        problem,
        expected: "file:DIR or file:DIR?format=csv|jsonl|parquet",
    };
    if folder.is_empty() {
        return Err(invalid("names no folder"));
    }
    if !["csv", "jsonl", "parquet"].contains(&format) {
        return Err(invalid("names an unknown format"));
    }
    Ok(Target::Files { folder: PathBuf::from(folder), format: format.to_owned(), part: None })
}

fn default_wire() -> &'static str {
    if cfg!(feature = "postgres") { "postgres" } else { "sqlite" }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Sqlite(path) => write!(out, "sqlite:{}", path.display()),
            Target::Postgres(url) | Target::Mysql(url) => out.write_str(&redacted(url.expose())),
            Target::Mongodb(url) | Target::Cratedb(url) => {
                out.write_str(&hosts::redacted(url.expose()).unwrap_or_else(|| "***".into()))
            }
            Target::Files { folder, format, part: _ } => {
                write!(out, "file:{}?format={format}", folder.display())
            }
            Target::Null { wire } => write!(out, "null:{wire}"),
            Target::Memory => out.write_str("memory:"),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Target({self})")
    }
}

/// A URL without user, password and options (an option may be a password, too).
fn redacted(text: &str) -> String {
    let hidden = || format!("{}://***", text.split(':').next().unwrap_or_default());
    let Ok(mut url) = url::Url::parse(text) else {
        return hidden();
    };
    let cleared = url.set_username("").is_ok() && url.set_password(None).is_ok();
    url.set_query(None);
    url.set_fragment(None);
    if cleared { url.to_string() } else { hidden() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_printed() {
        for text in [
            "postgres://me:hunter2@host/db",
            "postgres://me:hunter2@host/db?password=hunter2",
            "postgresql://host/db?user=me&password=hunter2",
            "mysql://me:hunter2@host/db?ssl-mode=REQUIRED",
            "mariadb://me:hunter2@host/db",
            "mongodb://me:hunter2@host:1,other/db?authMechanismProperties=TOKEN:hunter2",
        ] {
            let target = Target::parse(text).unwrap();
            assert!(!format!("{target} {target:?}").contains("hunter2"), "{target}");
        }
        for text in [
            "postgres:hunter2",
            "pg://me:hunter2@host",
            "mysql://me:hunter2@host",
            "mysql://me:hunter2@[bad/db",
            "postgres://me:hunter2@[bad/",
            "mongodb://me:hunter2/@host",
        ] {
            let error = Target::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn targets_are_read() {
        assert_eq!(Target::parse("sqlite:a.db").unwrap(), Target::Sqlite("a.db".into()));
        assert_eq!(Target::parse("memory:").unwrap(), Target::Memory);
        assert_eq!(
            Target::parse("file:out?format=jsonl").unwrap(),
            Target::Files { folder: "out".into(), format: "jsonl".into(), part: None }
        );
        assert!(Target::parse("sqlite:").is_err());
        let cluster = Target::parse("crate://me:hunter2@h1:4200,h2:4200/doc?gzip=true").unwrap();
        assert_eq!(
            (cluster.name(), &*cluster.to_string()),
            ("CrateDB", "crate://h1:4200,h2:4200/doc")
        );
        assert!(Target::parse("crate://").is_err());
    }
}
