//! What becomes of rows when CrateDB refuses some, has too much to do, or goes away: on the double of its endpoint, which
//! does all of that on demand, and what a healthy server can be asked for on a real one, too, where
//! `ROWSTORM_TEST_CRATEDB` names it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bed;
mod changes;
#[path = "../double/mod.rs"]
mod double;
mod refusals;
mod tables;
mod tls;
mod trouble;
mod wire;

/// The double, and a real server if one is named.
fn servers(double: &double::Double) -> Vec<String> {
    let real = std::env::var("ROWSTORM_TEST_CRATEDB").ok();
    std::iter::once(double.url().to_owned()).chain(real).collect()
}

/// The same with rows over the PostgreSQL wire; a real server's URL says where, with `?pg_port=`.
fn wires(double: &double::Double) -> Vec<String> {
    let real = std::env::var("ROWSTORM_TEST_CRATEDB").ok();
    let real = real
        .map(|url| format!("{url}{}method=postgres", if url.contains('?') { '&' } else { '?' }));
    std::iter::once(double.wire_url()).chain(real).collect()
}

/// Both.
fn ways(double: &double::Double) -> Vec<String> {
    servers(double).into_iter().chain(wires(double)).collect()
}
