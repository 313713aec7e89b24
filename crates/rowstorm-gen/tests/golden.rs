//! Golden files, one per kind of generator: if one fails, `GENERATOR_VERSION` must move, or the change must go.
//! `ROWSTORM_BLESS=1 cargo test -p rowstorm-gen --test golden` writes them anew.

mod kinds;
mod mixes;

use std::fmt::Write;
use std::path::Path;

use kinds::{KINDS, document, plan, plan_of};
use rowstorm_gen::changes::{ChangeBatch, Fate};
use rowstorm_gen::{Batch, GENERATOR_VERSION};

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

/// The ops of two streams, from the first and from far away, with every pick and both orders of deletion.
#[test]
fn every_pick_takes_what_it_always_took() {
    let picks = [
        ("uniform", "uniform", "oldest"),
        ("latest", "latest", "oldest"),
        ("oldest", "oldest", "oldest"),
        ("zipf", "{ zipf: 1.1 }", "uniform"),
        ("hotspot", "{ hotspot: 0.05 }", "uniform"),
    ];
    for (name, pick, delete) in picks {
        let mix = format!(
            "- {{ insert: children, weight: 3 }}
    - {{ update: children, set: [note], pick: {pick}, weight: 4 }}
    - {{ read: parents, pick: {pick}, weight: 1 }}
    - {{ delete: children, pick: {delete}, weight: 2 }}"
        );
        let changes = mixes::changes_of(&mixes::document(100, 300, 3, &mix), 42);
        let mut text =
            format!("# version {GENERATOR_VERSION}, seed 42, pick: {pick}, delete: {delete}\n");
        writeln!(text, "# fingerprint {:016x}; stream op kind row", changes.fingerprint()).unwrap();
        for number in [0, 2] {
            let stream = changes.stream(number);
            for op in stream.iter(0..80).chain(stream.iter(3_000_000_000..3_000_000_020)) {
                writeln!(text, "{number} {} {:?} {}", op.number, op.kind, op.row).unwrap();
            }
        }
        check(&format!("changes_{name}.txt"), &text);
    }
}

/// What ops write, kept and rolled back, and what is expected in the end.
#[test]
fn changes_write_what_they_always_wrote() {
    let mix = "- { insert: parents, weight: 1 }
    - { insert: children, weight: 2 }
    - { update: children, set: [note, at], weight: 2 }
    - { update: children, set: [word, parent], weight: 1 }
    - { delete: children, weight: 1 }";
    let rekeys = "- { insert: children, weight: 1 }
    - { update: children, set: [note], weight: 2 }
    - { rekey: children, weight: 2 }
    - { delete: children, weight: 1 }";
    write_changes("changes_values.txt", mix);
    write_changes("changes_rekey.txt", rekeys);
}

fn write_changes(file: &str, mix: &str) {
    let changes = mixes::changes_of(&mixes::document(30, 60, 3, mix), 42);
    let mut text = format!("# version {GENERATOR_VERSION}, seed 42, stream 1\n");
    let (stream, mut batch) = (changes.stream(1), ChangeBatch::default());
    for (fate, ops) in [(Fate::Commit, 0..60), (Fate::RollBack, 0..10)] {
        for op in ops {
            stream.fill(op..op + 1, fate, &mut batch);
            let group = &batch.groups()[0];
            let kind = changes.entries()[group.entry].kind;
            let row = &changes.statement(group.entry).read(&group.batch)[0];
            writeln!(text, "{fate:?} {op} {kind:?} {row}").expect("a string takes all");
        }
    }
    let (expected, mut rows) = (stream.expected(60), Batch::default());
    for table in 0..2 {
        expected.fill(table, &expected.rows(table).collect::<Vec<_>>(), &mut rows);
        for row in changes.table(table).read(&rows) {
            writeln!(text, "after 60: {row}").expect("a string takes all");
        }
    }
    check(file, &text);
}

#[test]
fn rows_walk_through_the_states_they_always_did() {
    for pick in ["uniform", "latest"] {
        let changes = mixes::walking(3, 30, &[1, 9, 1, 1], pick, 42);
        let mut text = format!("# version {GENERATOR_VERSION}, seed 42, stream 2, pick: {pick}\n");
        let (stream, mut batch) = (changes.stream(2), ChangeBatch::default());
        for op in stream.iter(0..120).filter(|op| op.entry == 1) {
            stream.fill(op.number..op.number + 1, Fate::Commit, &mut batch);
            let row = &changes.statement(op.entry).read(&batch.groups()[0].batch)[0];
            writeln!(text, "{} {row}", op.number).unwrap();
        }
        check(&format!("changes_states_{pick}.txt"), &text);
    }
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
