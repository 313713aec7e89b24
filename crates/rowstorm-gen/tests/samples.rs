//! The sample schemas compile, fill, and keep to their own rows.

use std::path::Path;

use rowstorm_gen::schema::Schema;
use rowstorm_gen::{Plan, PlanOptions};

#[test]
fn every_sample_schema_fills() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let mut samples = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        samples += 1;
        let schema = Schema::load(&path).unwrap_or_else(|error| panic!("{error:?}"));
        let options = PlanOptions { rows: Some(10_000), ..PlanOptions::default() };
        let plan = Plan::new(&schema, options).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(plan.tables().iter().filter_map(|table| table.rows).sum::<u64>(), 10_000);
        for table in plan.tables() {
            let rows = table.rows(0..table.rows.unwrap().min(2_000));
            assert!(rows.iter().all(|row| row.values().len() == table.columns.len()));
        }
    }
    assert!(samples >= 5, "{samples} sample schemas");
}
