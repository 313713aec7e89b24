//! Rows without a database: `sample`, `generate`, `explain`.

use crate::common::{run, run_in};

#[test]
fn a_sample_is_the_beginning_of_what_generate_writes() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["csv", "jsonl"] {
        let made = run_in(
            folder.path(),
            &["generate", "cpu", "-o", "out", "--rows", "3000", "--format", format],
        );
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        let file =
            std::fs::read_to_string(folder.path().join(format!("out/cpu.{format}"))).unwrap();
        let header = usize::from(format == "csv");
        assert_eq!(file.lines().count(), 3000 + header);
        let shown = run(&["sample", "cpu", "-n", "20", "--format", format]);
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        assert_eq!(shown.stdout.lines().count(), 20 + header);
        assert!(file.starts_with(&shown.stdout), "{format}");
    }
}

#[test]
fn shards_write_files_of_their_own_into_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let rows = ["--rows", "1000", "--epoch", "2026-01-01T00:00:00Z"];
    let generate = ["generate", "payload", "--format", "jsonl"];
    let whole = [&generate[..], &rows[..], &["-o", "whole"]].concat();
    assert_eq!(run_in(folder.path(), &whole).code, Some(0));
    let generate = [&generate[..], &["-o", "parts"]].concat();
    let run = ["run", "payload", "-q", "--to", "file:run?format=jsonl"].to_vec();
    for (out, command) in [("parts", generate), ("run", run)] {
        let mut parts = String::new();
        for shard in ["1/3", "2/3", "3/3"] {
            let made = run_in(folder.path(), &[&command, &rows[..], &["--shard", shard]].concat());
            assert_eq!(made.code, Some(0), "{}", made.stderr);
        }
        for index in 1..=3 {
            let file = folder.path().join(out).join(format!("payload.{index}-of-3.jsonl"));
            parts += &std::fs::read_to_string(file).unwrap();
        }
        let whole = std::fs::read_to_string(folder.path().join("whole/payload.jsonl")).unwrap();
        assert!(whole == parts, "{out}");
    }
}

#[test]
fn files_that_are_there_are_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["generate", "cpu", "-o", "out", "--rows", "100"];
    assert_eq!(run_in(folder.path(), &arguments).code, Some(0));
    assert_eq!(run_in(folder.path(), &arguments).code, Some(3));
    assert_eq!(run_in(folder.path(), &[&arguments[..], &["--force"]].concat()).code, Some(0));
}

#[test]
fn a_table_shows_every_column() {
    let done = run(&["sample", "cpu", "-n", "2"]);
    for name in ["arch", "hostname", "usage_guest_nice"] {
        assert!(done.stdout.contains(name), "{}", done.stdout);
    }
    let done = run(&["sample", "shop", "-n", "3", "--table", "orders"]);
    assert_eq!(done.stdout.lines().count(), 4, "{}", done.stdout);
    assert_eq!(done.stderr, "");
}

#[test]
fn explain_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (url, says) in [
        ("sqlite:cpu.db", "CREATE TABLE"),
        ("postgres://u@127.0.0.1:1/db", "COPY"),
        ("file:out", "out"),
        ("null:", "cpu"),
        ("memory:", "cpu"),
    ] {
        let done = run_in(folder.path(), &["explain", "cpu", "--to", url]);
        assert_eq!(done.code, Some(0), "{url}: {}", done.stderr);
        assert!(done.stdout.contains(says), "{url}: {}", done.stdout);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
