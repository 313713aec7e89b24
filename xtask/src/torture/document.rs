//! What is changed: `schemas/shop.yaml` with a table that is emptied in mid-run, and statements between ops.

use anyhow::{Context as _, ensure};

use super::round::Amount;

/// Grows until it is emptied, and grows again.
const VISITS: &str = "  visits:
    key: [id]
    preload: 100000
    columns:
      id:          { type: bigint, gen: sequence }
      order_id:    { type: bigint, gen: { uniform: [1, 1000] } }
";

/// The shop with its events; `AT1` to `AT3` are the places of them. An index takes its time: a kill falls into it now and then.
const EVENTS: &str = "  events:
    - { after: AT1, statement: { postgres: ALTER TABLE orders ADD COLUMN note text,
                                 mysql: ALTER TABLE orders ADD COLUMN note text,
                                 sqlite: ALTER TABLE orders ADD COLUMN note text,
                                 mongodb: { createIndexes: orders, indexes: [ { key: { status: 1 }, name: note } ] } } }
    - { after: AT2, truncate: visits }
    - { after: AT3, statement: { postgres: CREATE INDEX by_amount ON orders (amount),
                                 mysql: CREATE INDEX by_amount ON orders (amount),
                                 sqlite: CREATE INDEX by_amount ON orders (amount),
                                 mongodb: { createIndexes: orders, indexes: [ { key: { amount: 1 }, name: by_amount } ] } } }
  mix:
    - { insert: visits, weight: 20 }
";

/// The document of a torture of this amount, from the text of the shop; `transaction` in place of what the shop's are.
pub(super) fn document(
    shop: &str,
    amount: Amount,
    transaction: Option<&str>,
) -> anyhow::Result<String> {
    let mut events = EVENTS.to_owned();
    for (name, at) in ["AT1", "AT2", "AT3"].into_iter().zip(amount.events()) {
        events = events.replace(name, &at.to_string());
    }
    let (tables, changes) = shop.split_once("changes:\n").context("the shop has changes")?;
    ensure!(changes.contains("  mix:\n"), "the shop has a mix");
    if let Some(transaction) = transaction {
        let is_other = |line: &&str| !line.trim_start().starts_with("transaction:");
        let others: Vec<&str> = changes.lines().filter(is_other).collect();
        events = format!("  transaction: {transaction}\n{events}");
        let changes = others.join("\n") + "\n";
        return Ok(with(tables, &changes, &events));
    }
    Ok(with(tables, changes, &events))
}

fn with(tables: &str, changes: &str, events: &str) -> String {
    format!("{tables}{VISITS}changes:\n{}", changes.replacen("  mix:\n", events, 1))
}
