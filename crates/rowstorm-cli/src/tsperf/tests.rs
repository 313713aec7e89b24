//! What comes out is a valid schema that says what the model said.

use rowstorm::schema::{Format, Generator, Level, Schema};

use super::import;

/// The shape of tsperf's environment.json: two fields with one key.
const ENVIRONMENT: &str = r#"{
  "description": "plants",
  "environment": {
    "tags": { "description": "x", "plant": 100, "line": 5, "sensor_id": "id", "area": ["north", "south"] },
    "metrics": {
      "temperature": { "key": {"value": "value"}, "type": {"value": "FLOAT"},
        "mean": {"value": 6.4}, "min": {"value": 6.0}, "max": {"value": 7.4}, "stdev": {"value": 0.2},
        "variance": {"value": 0.03}, "error_rate": {"value": 0.005}, "error_length": {"value": 1.08} },
      "humidity": { "key": {"value": "value"}, "type": {"value": "float"},
        "mean": {"value": 50}, "min": {"value": 30}, "max": {"value": 70}, "stdev": {"value": 5},
        "variance": {"value": 1}, "error_rate": {"value": 0}, "error_length": {"value": 0} },
      "open": { "key": {"value": "is open"}, "type": {"value": "BOOL"}, "true_ratio": {"value": 0.25} }
    }
  }
}"#;

#[test]
fn a_model_becomes_a_valid_schema_in_its_own_order() {
    let yaml = import(ENVIRONMENT).unwrap();
    let schema = Schema::parse(&yaml, Format::Yaml, "imported")
        .unwrap_or_else(|error| panic!("{yaml}\n{error}"));
    let table = &schema.tables["environment"];
    let series = table.series.as_ref().unwrap();
    let levels: Vec<_> =
        series.levels.iter().map(|(name, level)| (name.as_str(), *level)).collect();
    assert_eq!(
        levels,
        [("plant", Level::Size(100)), ("line", Level::Size(5)), ("sensor_id", Level::Id)]
    );
    let columns: Vec<&str> = table.columns.keys().map(String::as_str).collect();
    assert_eq!(columns, ["ts", "area", "value", "humidity", "is open"], "no value is lost");
    let Generator::Walk(walk) = &table.columns["value"].generator else { panic!("{yaml}") };
    assert_eq!((walk.mean, walk.stdev, walk.step), (6.4, 0.2, Some(0.015)));
    assert_eq!(walk.faults.as_ref().map(|faults| faults.rate), Some(0.005));
    let Generator::Walk(walk) = &table.columns["humidity"].generator else { panic!("{yaml}") };
    assert_eq!(walk.faults, None);
}

#[test]
fn what_is_no_model_says_why() {
    for (json, why) in [
        ("[]", "not a tsperf schema"),
        ("{}", "no table"),
        (r#"{"t": {"fields": {}}}"#, "no `tags`"),
        (r#"{"t": {"tags": {}, "fields": {"a": {"type": {"value": "TEXT"}}}}}"#, "type `TEXT`"),
        (r#"{"t": {"tags": {}, "fields": {"a": {"type": {"value": "FLOAT"}}}}}"#, "no `mean`"),
        (r#"{"t": {"tags": {"a": 0}, "fields": {}}}"#, "tag `a`"),
    ] {
        let failure = import(json).unwrap_err();
        assert!(failure.message.contains(why), "{json}: {failure}");
    }
}
