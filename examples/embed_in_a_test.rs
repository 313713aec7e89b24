//! Realistic rows for an integration test: fill, let the code under test work, compare with what was generated.
//!
//! `cargo run --example embed_in_a_test`
#![allow(clippy::print_stdout, reason = "an example talks")]

use rowstorm::{Error, Format, Run, Schema};

const SHOP: &str = "
version: 1
tables:
  customers:
    key: [id]
    preload: 1000
    columns:
      id:    { type: bigint, gen: sequence }
      name:  { type: text, gen: { fake: first_name } }
  orders:
    key: [id]
    preload: 5000
    columns:
      id:          { type: bigint, gen: sequence }
      customer_id: { type: bigint, gen: { ref: { table: customers, skew: { zipf: 1.1 } } } }
      amount:      { type: 'decimal(10,2)', gen: { log_normal: { median: 40, sigma: 0.8 } } }
";

#[tokio::main]
async fn main() -> Result<(), Error> {
    orders_point_at_customers().await
}

/// In a test crate this is a `#[tokio::test]`.
async fn orders_point_at_customers() -> Result<(), Error> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = format!("sqlite:{}", folder.path().join("shop.db").display());

    let run = Run::new(Schema::parse(SHOP, Format::Yaml, "shop.yaml")?).seed(42).to(&target)?;
    let plan = run.plan()?;
    let done = run.go().await?;

    // Nothing was lost, nothing doubled, nothing refused: the database itself was asked.
    done.assert_every_row_arrived();
    assert_eq!(done.record.rows.audited, Some(6_000));

    // What must stand in any row, without asking the database.
    let expected = plan.table("orders")?.rows(0..3);
    for row in &expected {
        println!("order {} of customer {}: {}", row["id"], row["customer_id"], row["amount"]);
    }
    println!("{} rows, every one counted in the database", done.record.rows.accepted);
    Ok(())
}

#[cfg(test)]
#[tokio::test]
async fn the_example_holds() -> Result<(), Error> {
    orders_point_at_customers().await
}
