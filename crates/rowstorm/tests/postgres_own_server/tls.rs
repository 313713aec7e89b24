//! TLS to PostgreSQL: what `sslmode` promises, against a server whose certificate the test made.

use std::path::{Path, PathBuf};
use std::process::Command;

use rowstorm::runner::Finished;
use rowstorm::{Ending, Error, Format, Run, Schema};

use crate::server::Server;

const SCHEMA: &str = "
version: 1
tables:
  secured:
    columns:
      id: { type: bigint, gen: sequence }
";

pub(crate) fn can_make_certificates() -> bool {
    Command::new("openssl").arg("version").output().is_ok_and(|done| done.status.success())
}

pub(crate) async fn a_certificate_is_checked_as_far_as_was_asked() -> Result<(), Error> {
    let (server, authority) = Server::start_with_tls(certify);
    let port = server.port();
    let url = |host: &str, options: &str| {
        format!("postgres://postgres:secret@{host}:{port}/postgres?{options}")
    };
    let trusted = format!("sslrootcert={}", authority.display());
    for (host, options, passes) in [
        ("localhost", format!("sslmode=verify-full&{trusted}"), true),
        // The certificate names localhost, and nobody else.
        ("127.0.0.1", format!("sslmode=verify-full&{trusted}"), false),
        ("localhost", format!("sslmode=verify-ca&{trusted}"), true),
        // libpq would not look at the name; sqlx 0.8.6 does, with the errors that today's rustls gives.
        ("127.0.0.1", format!("sslmode=verify-ca&{trusted}"), false),
        // Nobody that the system trusts has signed it.
        ("localhost", "sslmode=verify-full".to_owned(), false),
        ("localhost", "sslmode=verify-ca".to_owned(), false),
        ("localhost", "sslmode=require".to_owned(), true),
    ] {
        let answer = load(&url(host, &options)).await;
        match answer {
            Ok(done) => {
                assert!(passes, "{host} {options}: {:?}", done.record.failure);
                assert!(matches!(done.ending, Ending::Done), "{options}: {:?}", done.ending);
                assert_eq!(done.record.rows.audited, Some(500), "{options}");
            }
            Err(error) => {
                let printed = format!("{error} {error:?}");
                assert!(!passes && printed.contains("tls"), "{host} {options}: {printed}");
                assert!(!printed.contains("secret"), "{printed}");
            }
        }
    }
    // The server takes nothing in the clear, so that what passed was encrypted.
    let error = load(&url("localhost", "sslmode=disable")).await.expect_err("in the clear");
    assert!(error.to_string().contains("no encryption"), "{error}");
    Ok(())
}

pub(crate) async fn a_server_without_tls_is_refused_where_tls_was_asked_for() -> Result<(), Error> {
    let server = Server::start();
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = load(&format!("{}?sslmode={mode}", server.url())).await.expect_err(mode);
        assert!(format!("{error:?}").contains("tls"), "{mode}: {error:?}");
    }
    load(&format!("{}?sslmode=prefer", server.url())).await.map(|_| ())
}

async fn load(url: &str) -> Result<Finished, Error> {
    let schema = Schema::parse(SCHEMA, Format::Yaml, "tls.yaml")?;
    let run = Run::new(schema).rows(500).to(url)?;
    run.table_mode(rowstorm::PrepareMode::Recreate).go().await
}

/// An authority of its own (`ca.crt`), and by it a certificate for localhost (`server.crt`, `server.key`).
fn certify(folder: &Path) -> PathBuf {
    let openssl = |arguments: &str| {
        let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
        let done = done.expect("openssl is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(&format!("{new} -subj /CN=rowstorm-test -keyout ca.key -out ca.crt"));
    openssl(&format!(
        "{new} -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE \
         -CA ca.crt -CAkey ca.key -keyout server.key -out server.crt"
    ));
    folder.join("ca.crt")
}
