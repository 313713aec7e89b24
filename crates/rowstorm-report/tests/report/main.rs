//! Tests of the reports, on hand-made records.

mod accounts;
mod files;
mod fixtures;
mod golden;
mod hostile;
mod numbers;
mod promises;
