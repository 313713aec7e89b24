//! The README's code, to the letter.

pub(crate) async fn every_order_arrives() -> Result<(), rowstorm::Error> {
    let schema = rowstorm::Schema::load("schemas/shop.yaml")?;
    let run = rowstorm::Run::new(schema).rows(10_000).to("sqlite:shop.db")?;
    let plan = run.plan()?;
    let done = run.go().await?;
    done.assert_every_row_arrived();
    assert_eq!(plan.table("orders")?.rows(0..3)[2]["id"], 3);
    Ok(())
}
