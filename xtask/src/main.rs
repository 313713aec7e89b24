//! The project's own automation: `cargo xtask`.
fn main() {}
