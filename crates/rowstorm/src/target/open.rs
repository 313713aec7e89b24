//! One function per adapter; each says so where the build lacks it.

use std::path::Path;

use rowstorm_sink::{BoxSink, SinkError};

use super::{Credentials, Secret};

#[allow(dead_code, reason = "a build with every feature lacks nothing")]
fn missing(name: &str, feature: &str) -> SinkError {
    SinkError::fatal(
        "not built",
        format!("this build cannot write to {name}: turn on the feature `{feature}`"),
    )
}

#[cfg(feature = "sqlite")]
pub(super) fn sqlite(path: &Path) -> Result<BoxSink, SinkError> {
    Ok(BoxSink::new(rowstorm_sqlite::Sqlite::open(path)?))
}

#[cfg(not(feature = "sqlite"))]
pub(super) fn sqlite(_: &Path) -> Result<BoxSink, SinkError> {
    Err(missing("SQLite", "sqlite"))
}

#[cfg(feature = "postgres")]
pub(super) fn postgres(url: &Secret, who: &Credentials) -> Result<BoxSink, SinkError> {
    let options = rowstorm_postgres::ConnectOptions {
        url: url.expose().to_owned(),
        username: who.username.clone(),
        password: who.password.as_ref().map(|password| password.expose().to_owned()),
        ..rowstorm_postgres::ConnectOptions::default()
    };
    Ok(BoxSink::new(rowstorm_postgres::Postgres::new(options)?))
}

#[cfg(not(feature = "postgres"))]
pub(super) fn postgres(_: &Secret, _: &Credentials) -> Result<BoxSink, SinkError> {
    Err(missing("PostgreSQL", "postgres"))
}

#[cfg(feature = "mysql")]
pub(super) fn mysql(url: &Secret, who: &Credentials) -> Result<BoxSink, SinkError> {
    let options = rowstorm_mysql::ConnectOptions {
        url: url.expose().to_owned(),
        username: who.username.clone(),
        password: who.password.as_ref().map(|password| password.expose().to_owned()),
        ..rowstorm_mysql::ConnectOptions::default()
    };
    Ok(BoxSink::new(rowstorm_mysql::Mysql::new(options)?))
}

#[cfg(not(feature = "mysql"))]
pub(super) fn mysql(_: &Secret, _: &Credentials) -> Result<BoxSink, SinkError> {
    Err(missing("MySQL", "mysql"))
}

#[cfg(feature = "mongodb")]
pub(super) fn mongodb(url: &Secret, who: &Credentials) -> Result<BoxSink, SinkError> {
    let options = rowstorm_sink::ConnectOptions {
        url: url.expose().to_owned(),
        username: who.username.clone(),
        password: who.password.as_ref().map(|password| password.expose().to_owned()),
        ..rowstorm_sink::ConnectOptions::default()
    };
    Ok(BoxSink::new(rowstorm_mongodb::Mongodb::new(&options)?))
}

#[cfg(feature = "cratedb")]
pub(super) fn cratedb(url: &Secret, who: &Credentials) -> Result<BoxSink, SinkError> {
    let options = rowstorm_sink::ConnectOptions {
        url: url.expose().to_owned(),
        username: who.username.clone(),
        password: who.password.as_ref().map(|password| password.expose().to_owned()),
        ..rowstorm_sink::ConnectOptions::default()
    };
    Ok(BoxSink::new(rowstorm_cratedb::CrateDb::new(&options)?))
}

#[cfg(not(feature = "cratedb"))]
pub(super) fn cratedb(_: &Secret, _: &Credentials) -> Result<BoxSink, SinkError> {
    Err(missing("CrateDB", "cratedb"))
}

#[cfg(not(feature = "mongodb"))]
pub(super) fn mongodb(_: &Secret, _: &Credentials) -> Result<BoxSink, SinkError> {
    Err(missing("MongoDB", "mongodb"))
}

#[cfg(feature = "files")]
pub(super) fn files(folder: &Path, format: &str, part: Option<&str>) -> Result<BoxSink, SinkError> {
    let files = rowstorm_files::Files::new(folder, file_format(format)?);
    Ok(BoxSink::new(match part {
        Some(part) => files.part(part),
        None => files,
    }))
}

#[cfg(feature = "files")]
fn file_format(name: &str) -> Result<rowstorm_files::FileFormat, SinkError> {
    use rowstorm_files::FileFormat;
    let format = match name {
        "csv" => FileFormat::Csv,
        "jsonl" => FileFormat::JsonLines,
        "parquet" => FileFormat::Parquet,
        other => {
            return Err(SinkError::fatal(
                "usage",
                format!("`{other}` is no file format; expected csv, jsonl or parquet"),
            ));
        }
    };
    if format.available() { Ok(format) } else { Err(missing(format.name(), "parquet")) }
}

#[cfg(not(feature = "files"))]
pub(super) fn files(_: &Path, _: &str, _: Option<&str>) -> Result<BoxSink, SinkError> {
    Err(missing("files", "files"))
}

pub(super) fn null(wire: &str) -> Result<BoxSink, SinkError> {
    match wire {
        #[cfg(feature = "postgres")]
        "postgres" => {
            let options = rowstorm_postgres::ConnectOptions {
                url: "postgres://localhost".to_owned(),
                ..rowstorm_postgres::ConnectOptions::default()
            };
            Ok(BoxSink::new(rowstorm_sink::Null::new(
                wire,
                rowstorm_postgres::Postgres::new(options)?,
            )))
        }
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => {
            let options = rowstorm_mysql::ConnectOptions {
                url: "mysql://localhost/null".to_owned(),
                ..rowstorm_mysql::ConnectOptions::default()
            };
            Ok(BoxSink::new(rowstorm_sink::Null::new(wire, rowstorm_mysql::Mysql::new(options)?)))
        }
        #[cfg(feature = "cratedb")]
        "cratedb" => {
            let options = rowstorm_sink::ConnectOptions {
                url: "crate://localhost".to_owned(),
                ..rowstorm_sink::ConnectOptions::default()
            };
            let cratedb = rowstorm_cratedb::CrateDb::new(&options)?;
            Ok(BoxSink::new(rowstorm_sink::Null::new(wire, cratedb)))
        }
        #[cfg(feature = "mongodb")]
        "mongodb" => {
            let options = rowstorm_sink::ConnectOptions {
                url: "mongodb://localhost".to_owned(),
                ..rowstorm_sink::ConnectOptions::default()
            };
            let mongodb = rowstorm_mongodb::Mongodb::new(&options)?;
            Ok(BoxSink::new(rowstorm_sink::Null::new(wire, mongodb)))
        }
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(BoxSink::new(rowstorm_sink::Null::new(
            wire,
            rowstorm_sqlite::Sqlite::open("null.db")?,
        ))),
        #[cfg(feature = "files")]
        "csv" | "jsonl" | "parquet" => {
            let files = rowstorm_files::Files::new(".", file_format(wire)?);
            Ok(BoxSink::new(rowstorm_sink::Null::new(wire, files)))
        }
        other => Err(SinkError::fatal(
            "usage",
            format!(
                "`null:{other}` names no wire of this build; expected one of: {}",
                wires().join(", ")
            ),
        )),
    }
}

fn wires() -> Vec<&'static str> {
    let mut wires = Vec::new();
    if cfg!(feature = "postgres") {
        wires.push("null:postgres");
    }
    if cfg!(feature = "mysql") {
        wires.push("null:mysql");
    }
    if cfg!(feature = "cratedb") {
        wires.push("null:cratedb");
    }
    if cfg!(feature = "mongodb") {
        wires.push("null:mongodb");
    }
    if cfg!(feature = "sqlite") {
        wires.push("null:sqlite");
    }
    if cfg!(feature = "files") {
        wires.extend(["null:csv", "null:jsonl"]);
    }
    wires
}
