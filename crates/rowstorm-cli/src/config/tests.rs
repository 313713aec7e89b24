//! Precedence and origins, as tables of cases.

use clap::Parser;
use rowstorm::schema::{AutoOr, RunSettings, Schema};

use super::*;

#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(flatten)]
    flags: RunFlags,
}

fn schema() -> Schema {
    let settings =
        |batch| RunSettings { batch: Some(AutoOr::Fixed(batch)), ..RunSettings::default() };
    Schema {
        version: 1,
        tables: indexmap::IndexMap::new(),
        changes: None,
        run: Some(settings(20)),
        profiles: [("ci".to_owned(), settings(30))].into_iter().collect(),
    }
}

fn load(environment: &[(&str, &str)], line: &[&str]) -> Result<Config> {
    let schema = schema();
    let flags = Line::try_parse_from(line).expect("the flags of a test are right").flags;
    Config::load(&Sources {
        file: "cpu.yaml",
        schema: &schema,
        defaults: RunSettings {
            batch: Some(AutoOr::Auto),
            seed: Some(42),
            ..RunSettings::default()
        },
        flags: &flags,
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    })
}

fn batch(environment: &[(&str, &str)], line: &[&str]) -> (String, String) {
    let config = load(environment, line).expect("the settings of a test are right");
    let shown = config.shown().into_iter().find(|shown| shown.key == "batch");
    let shown = shown.expect("batch has a default");
    (shown.value, shown.origin)
}

#[test]
fn the_nearest_layer_wins_and_is_named() {
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(batch(&[], &[]), pair("20", "cpu.yaml run"));
    assert_eq!(batch(&[], &["--profile", "ci"]), pair("30", "cpu.yaml profiles.ci"));
    assert_eq!(batch(&[("ROWSTORM_PROFILE", "ci")], &[]), pair("30", "cpu.yaml profiles.ci"));
    let variable = [("ROWSTORM_BATCH", "40")];
    assert_eq!(batch(&variable, &["--profile", "ci"]), pair("40", "ROWSTORM_BATCH"));
    assert_eq!(batch(&variable, &["--batch", "50"]), pair("50", "--batch"));
    assert_eq!(batch(&variable, &["--batch", "auto"]), pair("auto", "--batch"));
    assert_eq!(batch(&[("ROWSTORM_BATCH", "")], &[]), pair("20", "cpu.yaml run"));
}

#[test]
fn a_built_in_value_says_so() {
    let shown = load(&[], &[]).unwrap().shown();
    let seed = shown.iter().find(|shown| shown.key == "seed").unwrap();
    assert_eq!((seed.value.as_str(), seed.origin.as_str()), ("42", "built in"));
}

#[test]
fn every_key_is_a_flag_and_a_variable() {
    for (key, value) in [
        ("rows", "1_000"),
        ("duration", "60s"),
        ("warmup", "5s"),
        ("shard", "1/4"),
        ("rate", "10000/s"),
        ("stages", "1000/s:20s,max:5s"),
        ("changes", "5000"),
        ("late", "drop"),
        ("batch", "auto"),
        ("in_flight", "auto:freeze"),
        ("pipeline", "4"),
        ("objective", "p99 < 50ms"),
        ("max_bytes_in_flight", "256MiB"),
        ("seed", "7"),
        ("epoch", "2026-01-01T00:00:00Z"),
        ("table_mode", "append"),
        ("indexes", "after"),
        ("max_errors", "0.1%"),
        ("retry", "2"),
        ("timeout", "30s"),
        ("thresholds", "rows_per_second > 1;seconds < 9"),
        ("output", "a.json"),
        ("report", "a.html"),
        ("progress", "off"),
        ("metrics", "127.0.0.1:0"),
        ("json", "true"),
        ("quiet", "0"),
        ("verbose", "yes"),
    ] {
        let variable = format!("ROWSTORM_{}", key.to_uppercase());
        let config =
            load(&[(&variable, value)], &[]).unwrap_or_else(|error| panic!("{key}: {error}"));
        let shown = config.shown().into_iter().find(|shown| shown.key == key);
        assert_eq!(shown.expect(key).origin, variable);
    }
    assert_eq!(KEYS.len(), 28);
}

#[test]
fn a_wrong_value_names_its_variable_and_what_would_be_right() {
    for (variable, value) in [
        ("ROWSTORM_ROWS", "many"),
        ("ROWSTORM_BATCH", "-1"),
        ("ROWSTORM_JSON", "perhaps"),
        ("ROWSTORM_DURATION", "60"),
    ] {
        let failure = load(&[(variable, value)], &[]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.starts_with(variable), "{failure}");
        assert!(!failure.message.contains("--"), "{failure}");
    }
}

#[test]
fn a_switch_knows_the_words_that_people_use() {
    let quiet = |value: &str| load(&[("ROWSTORM_QUIET", value)], &[]);
    for (value, expected) in [
        ("1", true),
        ("true", true),
        ("TRUE", true),
        ("yes", true),
        ("on", true),
        ("0", false),
        ("false", false),
        ("No", false),
        ("off", false),
    ] {
        assert_eq!(quiet(value).unwrap().settings.quiet, Some(expected), "{value}");
    }
    let failure = quiet("2").unwrap_err();
    assert!(failure.message.contains("expected true or false"), "{failure}");
}

#[test]
fn a_misspelt_variable_is_an_error_whose_value_stays_hidden() {
    let failure = load(&[("ROWSTORM_PASWORD", "hunter2")], &[]).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    assert!(failure.to_string().contains("did you mean ROWSTORM_PASSWORD?"), "{failure}");
    assert!(!failure.to_string().contains("hunter2"));
    for known in [
        "ROWSTORM_PASSWORD",
        "ROWSTORM_USERNAME",
        "ROWSTORM_TEST_POSTGRES",
        "ROWSTORM_REQUIRE",
        "ROWSTORM_BLESS",
        "ROWSTORM_SHARDS",
        "ROWSTORM_TO",
    ] {
        assert!(load(&[(known, "12345")], &[]).is_ok(), "{known}");
    }
}

#[test]
fn an_unknown_profile_names_those_there_are() {
    let failure = load(&[], &["--profile", "prod"]).unwrap_err();
    assert_eq!(failure.help.as_deref(), Some("the file has: ci"));
}

#[test]
fn of_rows_and_duration_the_nearer_ends_the_run() {
    let ends = |environment: &[(&str, &str)], line: &[&str]| {
        let settings = load(environment, line).expect("the settings of a test are right").settings;
        (settings.rows, settings.duration.is_some())
    };
    let rows = [("ROWSTORM_ROWS", "1000")];
    assert_eq!(ends(&rows, &[]), (Some(1000), false));
    assert_eq!(ends(&rows, &["--duration", "60s"]), (None, true));
    assert_eq!(ends(&[("ROWSTORM_DURATION", "60s")], &["--rows", "7"]), (Some(7), false));
    assert_eq!(ends(&[], &["--duration", "60s", "--rows", "7"]), (Some(7), true), "side by side");
}
