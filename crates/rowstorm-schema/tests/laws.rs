//! Laws: suggestions for any slip, units that print what they parse, documents that never panic.

use std::time::Duration;

use proptest::prelude::*;
use rowstorm_schema::{
    AutoOr, ByteSize, Format, Level, LevelRule, Objective, Progress, Rate, RunSettings, Schema,
    Series, Shard, Span, Table, Tolerance,
};

/// Keys that stand together, each far from the others.
const RUN_KEYS: [&str; 8] = [
    "rows",
    "duration",
    "warmup",
    "max_bytes_in_flight",
    "indexes",
    "shard",
    "timeout",
    "thresholds",
];

#[derive(Debug, Clone)]
enum Slip {
    Drop,
    Double,
    Swap,
    Replace(char),
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        Just(Slip::Drop),
        Just(Slip::Double),
        Just(Slip::Swap),
        proptest::char::range('a', 'z').prop_map(Slip::Replace),
    ]
}

fn misspell(word: &str, at: usize, slip: &Slip) -> String {
    let mut chars: Vec<char> = word.chars().collect();
    let at = at % (chars.len() - 1);
    match slip {
        Slip::Drop => drop(chars.remove(at)),
        Slip::Double => chars.insert(at, chars[at]),
        Slip::Swap => chars.swap(at, at + 1),
        Slip::Replace(char) => chars[at] = *char,
    }
    chars.into_iter().collect()
}

proptest! {
    #[test]
    fn any_word_near_a_key_gets_the_suggestion(
        key in proptest::sample::select(&RUN_KEYS[..]),
        at in 0_usize..64,
        slip in slip(),
    ) {
        let word = misspell(key, at, &slip);
        prop_assume!(!RUN_KEYS.contains(&word.as_str()));
        let yaml = format!(
            "version: 1\ntables: {{ t: {{ columns: {{ a: {{ type: int, gen: sequence }} }} }} }}\nrun:\n  \"{word}\": ~\n"
        );
        let found = Schema::parse(&yaml, Format::Yaml, "t").expect_err("the key is unknown").0;
        let help = format!("did you mean `{key}`?");
        prop_assert_eq!((found[0].line, found[0].column), (4, 3));
        prop_assert_eq!(found[0].help.as_deref(), Some(help.as_str()), "{}", word);
    }

    #[test]
    fn units_print_what_they_parse(us in 0_u64..1 << 50, number in 1_u32.., bytes: u64) {
        let span = Span(Duration::from_micros(us));
        prop_assert_eq!(span.to_string().parse(), Ok(span));
        let size = ByteSize(bytes);
        prop_assert_eq!(size.to_string().parse(), Ok(size));
        for rate in [Rate::PerSecond(f64::from(number)), Rate::Max] {
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        for auto in [AutoOr::Fixed(number), AutoOr::Auto, AutoOr::AutoFreeze] {
            prop_assert_eq!(auto.to_string().parse(), Ok(auto));
        }
        let limit = Objective::P99Below(Span(Duration::from_micros(us + 1)));
        for objective in [Objective::Throughput, Objective::Knee, limit] {
            prop_assert_eq!(objective.to_string().parse(), Ok(objective));
        }
        let shard = Shard::Part { index: number / 2 + 1, of: number };
        prop_assert_eq!(shard.to_string().parse(), Ok(shard));
        for tolerance in [Tolerance::Rows(bytes), Tolerance::Percent(f64::from(number % 100) / 7.0)] {
            prop_assert_eq!(tolerance.to_string().parse(), Ok(tolerance));
        }
        let progress = Progress::Every(Span(Duration::from_micros(us + 1)));
        prop_assert_eq!(progress.to_string().parse(), Ok(progress));
    }

    /// An odometer counts the same: the innermost level turns first.
    #[test]
    fn levels_count_like_an_odometer(sizes in proptest::collection::vec(1_u64..7, 1..4), count in 1_u64..200) {
        let levels = sizes.iter().enumerate().map(|(at, size)| (format!("l{at}"), Level::Size(*size)));
        let series = Series { count, start: 1, levels: levels.collect() };
        let rules = series.level_rules();
        let mut wheels = vec![0; sizes.len()];
        for id in 1..=count {
            let values: Vec<_> = rules.iter().map(|(_, rule)| rule.value(id)).collect();
            prop_assert_eq!(&values, &wheels);
            for (wheel, size) in wheels.iter_mut().zip(&sizes).rev() {
                *wheel = (*wheel + 1) % size;
                if *wheel > 0 { break }
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[ -~\n»é]{0,200}") {
        for format in [Format::Yaml, Format::Toml, Format::Json] {
            let _ = Schema::parse(&text, format, "t");
        }
    }

    /// A valid document with one character changed is valid, or has problems whose positions lie within it.
    #[test]
    fn a_damaged_document_has_positions(at in 0_usize..2000, char in proptest::char::range(' ', '~')) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/shop.yaml");
        let mut text: Vec<char> = std::fs::read_to_string(path).unwrap().chars().collect();
        let at = at % text.len();
        text[at] = char;
        let text: String = text.into_iter().collect();
        if let Err(invalid) = Schema::parse(&text, Format::Yaml, "t") {
            for problem in &invalid.0 {
                prop_assert!((1..=text.lines().count() + 1).contains(&problem.line), "{}", problem);
                prop_assert!(problem.column >= 1, "{}", problem);
            }
        }
    }
}

#[test]
fn the_example_of_levels_holds() {
    let series = Series {
        count: 500,
        start: 1,
        levels: [("plant", Level::Size(100)), ("line", Level::Size(5)), ("sensor_id", Level::Id)]
            .map(|(name, level)| (name.to_owned(), level))
            .into(),
    };
    let table = Table { series: Some(series.clone()), ..Table::default() };
    assert_eq!(table.all_columns().len(), 3);
    for id in 1..=500 {
        let values: Vec<_> = series.level_rules().iter().map(|(_, rule)| rule.value(id)).collect();
        assert_eq!(values, [(id - 1) / 5 % 100, (id - 1) % 5, id]);
    }
    assert_eq!(LevelRule::Digit { divisor: 5, size: 100 }.value(0), 99);
}

#[test]
fn settings_arrive_as_text_or_as_numbers() {
    let text = r#"{ "rows": "1000", "batch": "500", "in_flight": "auto", "rate": "10000/s", "seed": "7", "retry": "3",
        "max_bytes_in_flight": "1024", "max_errors": "5", "thresholds": "rejected == 0", "duration": "60s", "metrics": "8000" }"#;
    let numbers = r#"{ "rows": 1000, "batch": 500, "in_flight": "auto", "rate": 10000, "seed": 7, "retry": 3,
        "max_bytes_in_flight": 1024, "max_errors": 5, "thresholds": ["rejected == 0"], "duration": "1m", "metrics": 8000 }"#;
    let text: RunSettings = serde_json::from_str(text).unwrap();
    let numbers: RunSettings = serde_json::from_str(numbers).unwrap();
    assert_eq!(text, numbers);
    assert_eq!(numbers.rate, Some(Rate::PerSecond(10_000.0)));
    assert_eq!(numbers.max_errors, Some(Tolerance::Rows(5)));
    let nothing: RunSettings =
        serde_json::from_str(r#"{ "rows": null, "thresholds": null }"#).unwrap();
    assert_eq!(nothing, RunSettings::default());
    for wrong in
        [r#"{ "rows": -1 }"#, r#"{ "rows": 1.5 }"#, r#"{ "batch": 0 }"#, r#"{ "duration": 60 }"#]
    {
        serde_json::from_str::<RunSettings>(wrong).expect_err(wrong);
    }
}
