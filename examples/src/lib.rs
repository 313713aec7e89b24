//! Examples of Rowstorm: see the files beside this folder, and run one with `cargo run --example NAME`.
