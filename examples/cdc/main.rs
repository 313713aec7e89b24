//! Follows MySQL's or MariaDB's binary log and keeps a copy in MongoDB, until the log is silent.
//!
//! `cargo run --example cdc_follow -- SCHEMA --from mysql://… --to mongodb://… [--at FILE:OFFSET] [--idle SECONDS]`
#![allow(clippy::print_stdout, reason = "an example talks")]

mod follow;

use std::time::Duration;

use anyhow::{Context as _, bail};
use follow::Begin;
use rowstorm::{Format, Plan, PlanOptions, Schema};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (mut file, mut from, mut to, mut idle) = (None, None, None, 10.0);
    let mut begin = Begin::Copy;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--from" => from = Some(value()?),
            "--to" => to = Some(value()?),
            "--at" => begin = place(&value()?).context("--at: FILE:OFFSET, as it was printed")?,
            "--idle" => idle = value()?.parse().context("--idle: seconds")?,
            _ if file.is_none() && !word.starts_with('-') => file = Some(word),
            _ => bail!(
                "`{word}` is not known; say SCHEMA --from URL --to URL [--at FILE:OFFSET] [--idle SECONDS]"
            ),
        }
    }
    let file = file.context("say SCHEMA --from URL --to URL")?;
    let (from, to) = (from.context("--from is lacking")?, to.context("--to is lacking")?);
    let schema = Schema::parse(&std::fs::read_to_string(&file)?, Format::Yaml, &file)?;
    let plan = Plan::new(&schema, PlanOptions::default())?;
    let idle = Duration::try_from_secs_f64(idle).context("--idle: seconds")?;
    let done = follow::follow(&plan, &from, &to, &begin, idle).await?;
    println!(
        "{} rows copied, then {} changes in {} transactions, up to {}:{}",
        done.copied, done.changes, done.transactions, done.position.0, done.position.1
    );
    Ok(())
}

fn place(text: &str) -> Option<Begin> {
    let (file, offset) = text.rsplit_once(':')?;
    Some(Begin::At(file.to_owned(), offset.parse().ok()?))
}
