//! The CPU table of the one-million-rows article, as a library call: tune on SQLite, print what held it back.
//!
//! `cargo run --release --example cpu_scenario [ROWS]`
#![allow(clippy::print_stdout, reason = "an example talks")]

use rowstorm::{Error, Run, Schema};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let rows = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(200_000);
    scenario(rows).await
}

async fn scenario(rows: u64) -> Result<(), Error> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = format!("sqlite:{}", folder.path().join("cpu.db").display());
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/cpu.yaml");

    let done = Run::new(Schema::load(file)?).rows(rows).to(&target)?.go().await?;
    done.assert_every_row_arrived();

    let record = &done.record;
    println!("{} rows into SQLite, {:.0} rows/s", record.rows.accepted, record.rows_per_second);
    println!("batches of {} rows, limited by {}", record.batch.chosen_rows, record.limited_by);
    println!("fingerprint {}", record.fingerprint);
    for decision in &record.batch.decisions {
        println!("{:6.2} s  batch {:>6}  {}", decision.at_s, decision.batch_rows, decision.reason);
    }
    Ok(())
}

#[cfg(test)]
#[tokio::test]
async fn the_example_holds() -> Result<(), Error> {
    scenario(5_000).await
}
