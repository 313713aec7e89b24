//! `crates://`: TLS to the double, by a certificate that is made for the test (with `openssl`).

use std::path::Path;
use std::process::Command;

use rowstorm_sink::{Sink, SinkErrorKind};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::bed::{Bed, pairs, sink};
use crate::double::Double;

#[tokio::test]
async fn a_certificate_is_checked_and_rows_and_password_go_through_tls() {
    let folder = std::env::temp_dir().join(format!("rowstorm-crates-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let double = Double::start_with_tls(certified(&folder));
    double.lock("bWU6cmlnaHQ=");
    let known = double.url().replace("crates://", "crates://me:right@");
    let known = format!("{known}?ca={}", folder.join("server.crt").display());

    let bed = Bed::new(&known, pairs("rowstorm_tls")).await;
    let outcome = bed.write(&bed.drawn(500)).await.unwrap();
    assert_eq!((outcome.accepted, outcome.rejected.count), (500, 0));

    for url in [double.url().to_owned(), known.replace("localhost", "127.0.0.1")] {
        let error = sink(&url).server().await.unwrap_err();
        assert_eq!(error.kind, SinkErrorKind::Fatal, "{url}: {error}");
        assert!(error.message.contains("certificate"), "{url}: {error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Makes `server.crt`, which is its own authority, and a server that shows it.
fn certified(folder: &Path) -> ServerConfig {
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                     -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
                     -keyout server.key -out server.crt";
    let done =
        Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output();
    let done = done.expect("openssl is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let certificate =
        CertificateDer::from_pem_file(folder.join("server.crt")).expect("it was made");
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("it was made");
    let _ = rustls::crypto::ring::default_provider().install_default();
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key is the certificate's")
}
