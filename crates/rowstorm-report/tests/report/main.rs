//! Tests of the reports, on hand-made records.

mod accounts;
mod comparing;
mod files;
mod fixtures;
mod golden;
mod hostile;
mod merging;
mod numbers;
mod promises;
