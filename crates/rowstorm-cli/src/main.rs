//! The rowstorm command.
fn main() {}
