//! Every type at its extremes, and nulls in every type.

use rowstorm_gen::{Batch, ColumnData, Values};

use super::table::{Draft, batch, ints, plan, strings, texts_of, with_nulls};
use super::{Bed, Case, Need, Subject, compare};

pub(super) const TYPES: [&str; 14] = [
    "bool",
    "smallint",
    "int",
    "bigint",
    "real",
    "float",
    "decimal(38,10)",
    "decimal(5,0)",
    "text",
    "varchar(20)",
    "bytes",
    "timestamp",
    "uuid",
    "json",
];

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let mut cases: Vec<Case> = TYPES
        .into_iter()
        .map(|data_type| {
            let name = format!("every {data_type} arrives with its value");
            Case::new(&name, &[Need::Rows], move |bed: Bed<S>| extremes(bed, data_type))
        })
        .collect();
    cases.push(Case::new(
        "a negative zero keeps its sign",
        &[Need::Rows, Need::SignedZero],
        zero::<S>,
    ));
    cases.push(Case::new("long and awkward text arrives", &[Need::Rows], long::<S>));
    cases.push(Case::new("generated rows of every kind arrive", &[Need::Rows], generated::<S>));
    cases.push(Case::new("series with their tags arrive", &[Need::Rows], series::<S>));
    cases
}

/// Every value, and a null between any two.
async fn extremes<S: Subject>(bed: Bed<S>, data_type: &'static str) {
    let name: String =
        data_type.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let table = Draft::new(&format!("rowstorm_{name}")).nullable("value", data_type).plan();
    bed.recreate(&table).await;
    let data = ColumnData { values: extreme_values::<S>(data_type), valid: None };
    let count = data.values.len() as i64;
    let plain = batch(0, vec![ints(0..count), data.clone()]);
    let valid = (0..count).map(|row| row % 2 == 0);
    let holes = batch(count as u64, vec![ints(count..2 * count), with_nulls(data, valid)]);
    let rows = [plain, holes];
    let payload = bed.encode(&table, &rows);
    let mut writer = bed.writer(&table).await;
    let outcome = bed.send(&mut writer, &payload).await;
    assert_eq!(outcome.accepted, payload.len(), "{outcome:?}");
    compare::assert_rows::<S>(&table, &rows, &bed.read(&table).await);
}

/// Every value of a type that is at an edge.
pub(super) fn extreme_values<S: Subject>(data_type: &str) -> Values {
    match data_type {
        "bool" => Values::Bool(vec![true, false]),
        "smallint" => Values::Int(whole(i64::from(i16::MIN), i64::from(i16::MAX))),
        "int" => Values::Int(whole(i64::from(i32::MIN), i64::from(i32::MAX))),
        "bigint" => Values::Int(whole(S::BIGINT.0, S::BIGINT.1)),
        "real" => Values::Float(floats(&[
            f32::MIN,
            f32::MAX,
            f32::MIN_POSITIVE,
            f32::EPSILON,
            1e-45,
            0.1,
        ])),
        "float" => {
            let mut values = floats(&[0.5, 16_777_216.0]);
            // The smallest subnormal, and integers around 2^53 and 2^63.
            values.extend([
                f64::MIN,
                f64::MAX,
                f64::MIN_POSITIVE,
                f64::EPSILON,
                5e-324,
                0.1,
                1.0 / 3.0,
            ]);
            values.extend([9_007_199_254_740_993.0, 9.223_372_036_854_776e18, -1e300, 1e15 + 0.3]);
            Values::Float(values)
        }
        "decimal(38,10)" => Values::Decimal { unscaled: digits(38), scale: 10 },
        "decimal(5,0)" => Values::Decimal { unscaled: digits(5), scale: 0 },
        "text" => Values::Text(strings(TEXTS.iter().map(|text| text.as_bytes()))),
        "varchar(20)" => {
            let short = TEXTS.iter().filter(|text| text.chars().count() <= 20);
            Values::Text(strings(short.map(|text| text.as_bytes())))
        }
        "bytes" => {
            let all: Vec<u8> = (0..=255).collect();
            Values::Bytes(strings([&b""[..], b"\0", b"\\x41", b"\xFF\xFE", b"a\0b", &all]))
        }
        "timestamp" => Values::Timestamp(INSTANTS.to_vec()),
        "uuid" => Values::Uuid(vec![[0; 16], [255; 16], *b"0123456789abcdef", [0x1E; 16]]),
        "json" => {
            let told = |text: &&str| *text != "null" || !S::LACKS.contains(&Need::JsonNull);
            let documents = DOCUMENTS.iter().copied().filter(told);
            Values::Json(strings(documents.map(str::as_bytes)))
        }
        other => panic!("no values for {other}"),
    }
}

fn whole(min: i64, max: i64) -> Vec<i64> {
    vec![min, min + 1, -100, -1, 0, 1, 9, 10, 99, 100, max - 1, max]
}

fn floats(values: &[f32]) -> Vec<f64> {
    values
        .iter()
        .flat_map(|value| [f64::from(*value), -f64::from(*value)])
        .chain([0.0, 1.0, 2.5])
        .collect()
}

fn digits(precision: u32) -> Vec<i128> {
    let max = 10_i128.pow(precision) - 1;
    vec![max, -max, 0, 1, -1, 10, -10, 9999, 10_000, -10_000, max / 3, max - max % 10_000]
}

const TEXTS: [&str; 16] = [
    "",
    " ",
    "plain",
    "tab\tnewline\nreturn\r",
    "'single' \"double\" `tick`",
    "back\\slash \\n \\\\ \\.",
    "\\N",
    "NULL",
    "comma, semicolon; pipe|",
    "ünïcödé",
    "🦀🚀 𝄞",
    "e\u{301} \u{200D}\u{FEFF}",
    "\u{1}\u{7F}\u{85}\u{10FFFF}",
    "{\"json\": [1]}",
    "$1 ? :a %s {0}",
    " both ends ",
];

/// The year 1, before, at and after 1970, the end of 64-bit nanoseconds, and the end of the year 9999.
const INSTANTS: [i64; 10] = [
    -62_135_596_800_000_000,
    -1,
    0,
    1,
    999_999,
    951_782_400_000_000,
    1_767_225_600_123_456,
    4_107_542_399_999_999,
    9_223_372_036_854_775,
    253_402_300_799_999_999,
];

const DOCUMENTS: [&str; 9] = [
    "{}",
    "[]",
    "null",
    "true",
    "-12.5",
    "\"text \\\"quoted\\\" \\u00e9 🦀\"",
    r#"{"a":{"b":[1,2,{"c":null}]},"empty":"","back\\slash":"\\n"}"#,
    "[9223372036854775807,-9223372036854775808,0.1,1e-7]",
    r#"{"tab":"a\tb","line":"a\nb"}"#,
];

async fn zero<S: Subject>(bed: Bed<S>) {
    let table = Draft::new("rowstorm_zero").column("value", "float").plan();
    bed.recreate(&table).await;
    let values = ColumnData { values: Values::Float(vec![-0.0, 0.0]), valid: None };
    bed.write(&table, &batch(0, vec![ints(0..2), values])).await;
    let signs = bed.read(&table).await.into_iter().map(|row| {
        row[1].as_deref().and_then(|text| text.parse::<f64>().ok()).map(f64::is_sign_negative)
    });
    assert_eq!(signs.collect::<Vec<_>>(), [Some(true), Some(false)]);
}

async fn long<S: Subject>(bed: Bed<S>) {
    // Databases that index every value do so unless the generator says that values are long.
    let table = Draft::new("rowstorm_long").text("value", 131_072).plan();
    bed.recreate(&table).await;
    let lines = "a line\twith 'quotes' and \\ and 🦀\r\n".repeat(3000);
    let texts = ["x".repeat(65_536), lines, "\u{7FF}".repeat(40_000)];
    let rows = [batch(0, vec![ints(0..3), texts_of(texts.iter().map(String::as_str))])];
    assert_eq!(bed.write(&table, &rows[0]).await.accepted, 3);
    compare::assert_rows::<S>(&table, &rows, &bed.read(&table).await);
}

/// Values as the generators draw them: dictionaries, templates, nested columns, nulls everywhere.
pub(super) const EVERY_KIND: &str = r#"{"version":1,"tables":{"rowstorm_generated":{"key":["id"],"columns":{
    "id":{"type":"bigint","gen":{"sequence":{"start":-5,"step":3}}},
    "flag":{"type":"bool","gen":{"one_of":[true,false]},"nulls":0.2},
    "level":{"type":"smallint","gen":{"uniform":[-9,9]},"nulls":0.2},
    "country":{"type":"varchar(2)","gen":{"fake":"country_code"},"nulls":0.2},
    "status":{"type":"text","gen":{"one_of":{"pending":5,"it's paid":3,"":1}}},
    "email":{"type":"text","gen":{"template":"{country}.{id}@example.org"}},
    "amount":{"type":"decimal(12,4)","gen":{"log_normal":{"median":40.0,"sigma":0.8}},"nulls":0.2},
    "ratio":{"type":"real","gen":{"normal":{"mean":0.0,"stdev":1.0}},"nulls":0.2},
    "wait":{"type":"float","gen":{"exponential":{"mean":3.0}}},
    "at":{"type":"timestamp","gen":{"clock":{"step":"1500us"}},"nulls":0.2},
    "ref":{"type":"uuid","gen":"uuid_v4","nulls":0.2},
    "raw":{"type":"bytes","gen":{"text":{"min":0,"max":40}},"nulls":0.2},
    "place":{"type":"object","nulls":0.2,"gen":{"object":{
        "city":{"type":"text","gen":{"fake":"city"},"nulls":0.3},
        "size":{"type":"int","gen":{"uniform":[0,1000]}},
        "tags":{"type":"array","gen":{"array":{"type":"text","gen":{"fake":"word"},"min":0,"max":3}}}}}},
    "points":{"type":"array","nulls":0.2,
        "gen":{"array":{"type":"float","gen":{"uniform":[0.0,1.0]},"nulls":0.1,"min":0,"max":5}}}}}}}"#;

async fn generated<S: Subject>(bed: Bed<S>) {
    filled(bed, EVERY_KIND, 2500).await;
}

/// Levels and columns that are drawn once for each entity are encoded as one run.
const SERIES: &str = r#"{"version":1,"tables":{"rowstorm_series":{"key":["ts","sensor"],
    "series":{"count":10,"start":100,"levels":{"plant":2,"sensor":"id"}},"columns":{
    "host":{"type":"text","gen":{"template":"host_{series}"},"per":"series"},
    "city":{"type":"text","gen":{"fake":"city"},"per":"series","nulls":0.3},
    "ts":{"type":"timestamp","gen":{"clock":{"step":"10s"}}},
    "usage":{"type":"int","gen":{"uniform":[0,100]}},
    "load":{"type":"float","gen":{"walk":{"mean":6.4,"stdev":0.2}}}}}}}"#;

async fn series<S: Subject>(bed: Bed<S>) {
    let table = plan(SERIES);
    bed.recreate(&table).await;
    let batches = fill(&table, 30);
    let payload = bed.encode(&table, &batches);
    let mut writer = bed.writer(&table).await;
    assert_eq!(bed.send(&mut writer, &payload).await.accepted, 30);
    // The first column repeats, so the order is made here, on both sides.
    let mut read = bed.read(&table).await;
    let place = |name: &str| table.columns.iter().position(|column| *column.name == *name);
    let (sensor, ts) = (place("sensor").expect("a level"), place("ts").expect("a column"));
    read.sort_by_key(|row| {
        (row[ts].clone(), row[sensor].clone().map(|text| text.parse::<i64>().ok()))
    });
    compare::assert_rows::<S>(&table, &batches, &read);
    assert_eq!(bed.audit(&table).await.distinct_keys, Bed::<S>::counted_keys(30));
}

async fn filled<S: Subject>(bed: Bed<S>, document: &str, rows: u64) {
    let table = plan(document);
    bed.recreate(&table).await;
    let batches = fill(&table, rows);
    let payload = bed.encode(&table, &batches);
    let mut writer = bed.writer(&table).await;
    let outcome = bed.send(&mut writer, &payload).await;
    assert_eq!(outcome.accepted, rows, "{outcome:?}");
    compare::assert_rows::<S>(&table, &batches, &bed.read(&table).await);
}

pub(super) fn fill(table: &rowstorm_gen::TablePlan, rows: u64) -> Vec<Batch> {
    let step = rowstorm_gen::BATCH_ROWS_MAX as u64;
    (0..rows)
        .step_by(step as usize)
        .map(|first| {
            let mut batch = Batch::default();
            table.fill(first..rows.min(first + step), &mut batch);
            batch
        })
        .collect()
}
