//! What is typed: help, usage errors, and the commands that need no database.

use crate::common::{ran, rowstorm, run, run_in};

/// Every help text, as it is printed. `ROWSTORM_BLESS=1 cargo test` writes it anew.
#[test]
fn help_texts_are_as_written() {
    let commands: [&[&str]; 15] = [
        &[],
        &["demo"],
        &["init"],
        &["check"],
        &["sample"],
        &["generate"],
        &["explain"],
        &["run"],
        &["tune"],
        &["report"],
        &["compare"],
        &["merge"],
        &["schema"],
        &["config", "show"],
        &["completions"],
    ];
    let mut text = String::new();
    for command in commands {
        let done = run(&[command, &["--help"]].concat());
        assert_eq!(done.code, Some(0), "{command:?}: {}", done.stderr);
        let words: Vec<&str> = ["rowstorm"].iter().chain(command).copied().collect();
        let typed = format!("$ {} --help", words.join(" "));
        text += &[&typed, done.stdout.trim_end(), ""].join("\n");
    }
    // The text that is kept is that of a build without the feature.
    if cfg!(feature = "parquet") {
        text = text.replace("csv, jsonl, parquet]", "csv, jsonl]");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/help.txt");
    if std::env::var_os("ROWSTORM_BLESS").is_some() {
        std::fs::write(path, &text).expect("the snapshot can be written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == text,
        "tests/cli/help.txt is stale: look at the difference, then ROWSTORM_BLESS=1"
    );
}

#[test]
fn without_a_command_it_says_what_to_type_first() {
    let done = run(&[]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let first = done.stdout.lines().find(|line| line.starts_with("  rowstorm"));
    assert!(first.is_some_and(|line| line.starts_with("  rowstorm demo")), "{}", done.stdout);
}

#[test]
fn usage_errors_exit_2_and_say_what_would_be_right() {
    for (arguments, says) in [
        (&["rum"][..], "rum"),
        (&["run"], "FILE"),
        (&["run", "cpu"], "--to sqlite:cpu.db"),
        (&["run", "cpuu", "--to", "memory:"], "did you mean the sample `cpu`?"),
        (&["run", "cpu", "--to", "sqlit:a.db"], "sqlite:PATH"),
        (&["run", "cpu", "--to", "mysql://h"], "names no database"),
        (&["run", "cpu", "--to", "mongodb:///db"], "names no host"),
        (&["run", "cpu", "--to", "memory:", "--batch", "many"], "`auto`"),
        (&["run", "cpu", "--to", "memory:", "--shard", "5/4"], "--shard"),
        (&["run", "cpu", "--to", "memory:", "--shard", "auto"], "JOB_COMPLETION_INDEX"),
        (&["run", "cpu", "--to", "memory:", "--profile", "x"], "no profile `x`"),
        (&["run", "cpu", "--to", "memory:", "--threshold", "speed > 1"], "speed"),
        (&["run", "cpu", "--to", "memory:", "-o", "/nowhere/a.json"], "/nowhere/a.json"),
        (&["run", "cpu", "--to", "sqlite:a.db", "--table-mode", "recreate"], "--yes"),
        (&["run", "cpu", "--to", "memory:", "--metrics", "x"], "127.0.0.1:8000"),
        (&["sample", "cpu", "--table", "gpu"], "there are: cpu"),
        (&["check", "nowhere.yaml"], "nowhere.yaml"),
    ] {
        let done = run(arguments);
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert!(done.stderr.contains(says), "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.starts_with("error: "), "{arguments:?}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_misspelt_variable_is_told_without_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = rowstorm(folder.path(), &["run", "cpu", "--to", "memory:"]);
    let done = ran(command.env("ROWSTORM_PASWORD", "hunter2"));
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("did you mean ROWSTORM_PASSWORD?"), "{}", done.stderr);
    assert!(!done.stderr.contains("hunter2"));
}

#[test]
fn all_problems_of_a_file_come_at_once_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = "version: 1\ntables:\n  t:\n    columns:\n      a: { type: int, gen: sequense }\n      b: { type: txt, gen: sequence }\n";
    std::fs::write(folder.path().join("bad.yaml"), text).unwrap();
    let done = run_in(folder.path(), &["check", "bad.yaml"]);
    assert_eq!(done.code, Some(2));
    for part in ["--> bad.yaml:5:", "--> bad.yaml:6:", "did you mean `sequence`?"] {
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
}

#[test]
fn every_sample_is_written_and_passes_the_check() {
    for name in ["cpu", "environment", "shop", "payload", "events", "queries"] {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("{name}.yaml");
        assert_eq!(run_in(folder.path(), &["init", name, "-o", &file]).code, Some(0));
        assert_eq!(
            run_in(folder.path(), &["init", name, "-o", &file]).code,
            Some(2),
            "it is there"
        );
        let checked = run_in(folder.path(), &["check", &file]);
        assert_eq!(checked.code, Some(0), "{}", checked.stderr);
        let printed = run(&["init", name]).stdout;
        assert_eq!(std::fs::read_to_string(folder.path().join(&file)).unwrap(), printed);
    }
}

#[test]
fn config_show_names_the_origin_of_each_setting() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["config", "show", "--origin", "cpu", "--seed", "7"];
    let done = ran(rowstorm(folder.path(), &arguments).env("ROWSTORM_BATCH", "500"));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let origin = |key: &str| {
        let line = done.stdout.lines().find(|line| line.split_whitespace().next() == Some(key));
        let words: Vec<&str> = line.unwrap_or_default().split_whitespace().skip(1).collect();
        words.join(" ")
    };
    assert_eq!(origin("seed"), "7 --seed");
    assert_eq!(origin("batch"), "500 ROWSTORM_BATCH");
    assert_eq!(origin("rows"), "1000000 cpu run");
    assert_eq!(origin("max_errors"), "0 built in");
}

#[test]
fn schemas_are_json_and_completions_name_the_command() {
    for kind in ["file", "record"] {
        let done = run(&["schema", kind]);
        let schema: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{kind}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).stdout.contains("rowstorm"), "{shell}");
    }
}
