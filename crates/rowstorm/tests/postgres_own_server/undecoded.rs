//! A server that keeps too little in its log to be decoded.

use rowstorm::runner::{ChangeOptions, RunError};
use rowstorm::{Error, Format, Run, Schema};

use crate::server::Server;

const YAML: &str = "
version: 1
tables:
  t:
    key: [id]
    preload: 100
    columns:
      id: { type: bigint, gen: sequence }
      n:  { type: int, gen: { uniform: [0, 1000000] } }
changes:
  mix:
    - { update: t, set: [n], weight: 1 }
";

pub(crate) async fn a_log_that_cannot_be_decoded_is_named_before_the_load() -> Result<(), Error> {
    // Without a word, a server's `wal_level` is `replica`.
    let server = Server::start();
    let run = |cdc| {
        let changes = ChangeOptions { amount: Some(640), cdc, ..ChangeOptions::default() };
        let schema = Schema::parse(YAML, Format::Yaml, "undecoded.yaml")?;
        Ok::<_, Error>(
            Run::new(schema).to(&server.url())?.options(|options| options.changes = Some(changes)),
        )
    };
    let error = run(true)?.go().await.expect_err("the log cannot be decoded");
    let Error::Run(RunError::Target(error)) = error else { panic!("{error}") };
    assert!(error.message.contains("wal_level is replica; set wal_level = logical"), "{error}");
    // Nothing was loaded: a run that makes its tables finds them empty.
    let done = run(false)?.go().await?;
    assert_eq!(done.record.rows.accepted, 100);
    Ok(())
}
