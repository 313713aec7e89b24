//! What unit tests of several modules need.

use std::sync::Arc;

use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions, TablePlan};

/// The first table of a document in JSON.
pub(crate) fn plan(document: &str) -> Arc<TablePlan> {
    let schema = Schema::parse(document, Format::Json, "test.json").expect("a valid document");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("a document that compiles");
    Arc::clone(&plan.tables()[0])
}
