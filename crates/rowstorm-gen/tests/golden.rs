//! Golden files, one per kind of generator: if one fails, `GENERATOR_VERSION` must move, or the change must go.
//! `ROWSTORM_BLESS=1 cargo test -p rowstorm-gen --test golden` writes them anew.

mod kinds;

use std::fmt::Write;
use std::path::Path;

use kinds::{KINDS, document, plan, plan_of};
use rowstorm_gen::GENERATOR_VERSION;

const ROWS: u64 = 20;

#[test]
fn every_kind_draws_what_it_always_drew() {
    let plan = plan(42);
    let rows = plan.table("kinds").unwrap().rows(0..ROWS);
    for (name, spec) in KINDS {
        let mut text = format!("# version {GENERATOR_VERSION}, seed 42, kinds.{name}: {spec}\n");
        for row in &rows {
            writeln!(text, "{}", row[name]).unwrap();
        }
        check(&format!("{name}.txt"), &text);
    }
}

#[test]
fn fingerprints_stand_still() {
    let mut text = format!("# version {GENERATOR_VERSION}: fingerprints by seed and document\n");
    for seed in [0, 42] {
        for columns in [KINDS, &KINDS[..3]] {
            let fingerprint = plan_of(&document(columns), seed).fingerprint();
            writeln!(text, "{seed} {} columns {fingerprint:016x}", columns.len()).unwrap();
        }
    }
    check("fingerprints.txt", &text);
}

fn check(file: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let path = folder.join(file);
    if std::env::var_os("ROWSTORM_BLESS").is_some() {
        std::fs::create_dir_all(&folder).expect("the folder of golden files can be made");
        std::fs::write(&path, text).expect("a golden file can be written");
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(text, golden, "{file}: values moved; see this test's first lines");
}
