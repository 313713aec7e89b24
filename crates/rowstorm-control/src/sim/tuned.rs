//! The scenario files: what the controller was tuned on, by name.

use super::Scenario;

macro_rules! scenarios {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../scenarios/", $name, ".txt")))),*]
    };
}

const FILES: [(&str, &str); 21] = scenarios![
    "postgres-copy" "postgres-notch" "postgres-busy-disk" "postgres-unnest" "mariadb-load" "sqlite-file"
    "crate-one-node" "crate-five-nodes" "crate-hidden" "mongo-majority" "wide-area"
    "flat" "client-bound" "heavy-tail" "checkpoints" "dirty-pages" "node-gone" "node-added"
    "overhead-grows" "refuses-early" "latency-limit"
];

/// All scenario files.
pub fn tuned() -> Vec<Scenario> {
    let read = |(name, text): &(&str, &str)| {
        Scenario::parse(name, text).expect("the files of this crate are read in its tests")
    };
    FILES.iter().map(read).collect()
}
