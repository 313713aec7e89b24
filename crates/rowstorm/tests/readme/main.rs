//! What the README shows is what runs: its code, and its schema.
#![cfg(feature = "sqlite")]

mod code;

use std::path::Path;

use rowstorm::{Format, Run, Schema};

const README: &str = include_str!("../../../../README.md");

/// The first fenced block of a language.
fn block(language: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("```{language}\n")).expect("the block is there");
    rest.split_once("```").expect("the block ends").0
}

#[tokio::test]
async fn the_readmes_code_is_this_and_holds() {
    let (_, code) = include_str!("code.rs").split_once("\n\n").unwrap();
    assert_eq!(block("rust"), code.replacen("pub(crate) ", "", 1));
    // It stands in the root of a clone. No other test of this program asks where it is.
    let folder = tempfile::tempdir().unwrap();
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    std::fs::create_dir(folder.path().join("schemas")).unwrap();
    std::fs::copy(schemas.join("shop.yaml"), folder.path().join("schemas/shop.yaml")).unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    code::every_order_arrives().await.unwrap();
    assert!(folder.path().join("shop.db").is_file());
}

#[tokio::test]
async fn the_readmes_schema_is_one() {
    let schema = Schema::parse(block("yaml"), Format::Yaml, "shop.yaml").unwrap();
    let done = Run::new(schema).rows(6_000).to("memory:").unwrap().go().await.unwrap();
    done.assert_every_row_arrived();
    let rows: Vec<u64> = done.record.tables.iter().map(|table| table.rows.accepted).collect();
    assert_eq!(rows, [1_000, 5_000]);
}
