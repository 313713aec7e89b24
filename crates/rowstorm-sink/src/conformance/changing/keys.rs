//! Rows found by keys of every type, of several columns and of hostile names.

use rowstorm_gen::{ColumnData, Values};

use super::super::names::HOSTILE;
use super::super::table::{Draft, batch, ints, strings, texts_of};
use super::super::{Bed, Case, NamePlace, Need, Subject, compare};
use super::mix::{DELETE, INSERT, READ, UPDATE, found, mix, rows};
use crate::Changed;

const TYPES: [&str; 8] =
    ["smallint", "int", "bigint", "varchar(40)", "uuid", "bytes", "decimal(20,4)", "timestamp"];

pub(super) fn cases<S: Subject>() -> Vec<Case> {
    let needs = &[Need::Rows, Need::Keys, Need::Changes];
    let mut cases: Vec<Case> = TYPES
        .into_iter()
        .map(|data_type| {
            let name = format!("rows are found by a {data_type} key");
            let mut case = Case::new(&name, needs, move |bed: Bed<S>| typed(bed, data_type));
            case.ignored |= !S::can_key(data_type);
            case
        })
        .collect();
    cases.push(Case::new("rows are found by several key columns", needs, several::<S>));
    cases.push(Case::new("changes quote hostile names", needs, hostile::<S>));
    cases
}

/// Six keys, the last of which is of no row; no two alike, also by a careless comparison.
fn values(data_type: &str) -> Values {
    match data_type {
        "smallint" => Values::Int(vec![-32_768, 32_767, 0, -1, 1, 2]),
        "int" => Values::Int(vec![-2_147_483_648, 2_147_483_647, 0, -1, 1, 2]),
        // Whole numbers that a float would take for one.
        "bigint" => {
            Values::Int(vec![9_007_199_254_740_993, 9_007_199_254_740_992, 0, -1, 1, i64::MAX - 1])
        }
        "varchar(40)" => {
            let texts = ["a", "A", "it's \"q\"", "back\\slash\\", "ünï🦀; --", "%_"];
            Values::Text(strings(texts.map(str::as_bytes)))
        }
        "uuid" => Values::Uuid((0..6).map(|last| [last; 16]).collect()),
        "bytes" => {
            let all: [&[u8]; 6] = [b"\0", b"\0\0", b"\xFF\xFE", b"a'\\", b"A'\\", b"\\x41"];
            Values::Bytes(strings(all))
        }
        "decimal(20,4)" => {
            let max = 10_i128.pow(20) - 1;
            Values::Decimal { unscaled: vec![max, max - 1, -max, 0, 1, 10_000], scale: 4 }
        }
        "timestamp" => Values::Timestamp(
            [-62_135_596_800_000, -1, 0, 1, 1_767_225_600_123, 1_767_225_600_124]
                .map(|milliseconds: i64| milliseconds * 1000)
                .to_vec(),
        ),
        other => panic!("no keys of type {other}"),
    }
}

/// Some of a column's values.
fn some(values: &Values, places: &[usize]) -> ColumnData {
    fn pick<T: Copy>(values: &[T], places: &[usize]) -> Vec<T> {
        places.iter().map(|place| values[*place]).collect()
    }
    let values = match values {
        Values::Int(all) => Values::Int(pick(all, places)),
        Values::Timestamp(all) => Values::Timestamp(pick(all, places)),
        Values::Uuid(all) => Values::Uuid(pick(all, places)),
        Values::Decimal { unscaled, scale } => {
            Values::Decimal { unscaled: pick(unscaled, places), scale: *scale }
        }
        Values::Text(all) => Values::Text(strings(places.iter().map(|place| all.get(*place)))),
        Values::Bytes(all) => Values::Bytes(strings(places.iter().map(|place| all.get(*place)))),
        other => panic!("no keys like {other:?}"),
    };
    ColumnData { values, valid: None }
}

async fn typed<S: Subject>(bed: Bed<S>, data_type: &'static str) {
    let name: String =
        data_type.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let draft = Draft::new(&format!("rowstorm_key_{name}"));
    let draft = match data_type {
        "bytes" => draft.sized("k", data_type, 40),
        _ => draft.column("k", data_type),
    };
    let table = draft.column("label", "text").keyed_by(&["k"]).plan();
    bed.recreate(&table).await;
    let all = values(data_type);
    let key = |places: &[usize]| some(&all, places);
    let load = vec![ints(0..4), key(&[0, 1, 2, 3]), texts_of(["0", "1", "2", "3"])];
    assert_eq!(bed.write(&table, &batch(0, load)).await.accepted, 4);
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let insert = rows(vec![ints([4]), key(&[4]), texts_of(["4"])]);
    let update = rows(vec![key(&[1, 5, 4, 3]), texts_of(["one", "none", "four", "three"])]);
    let groups = [
        (INSERT, &insert),
        (UPDATE, &update),
        (READ, &rows(vec![key(&[0, 5, 1])])),
        (DELETE, &rows(vec![key(&[2, 5])])),
    ];
    let answers = bed.commit(&mut changer, &groups).await;
    assert_eq!(answers, [Changed::matched(1), found(3, 1), found(2, 1), found(1, 1)]);
    let labels = texts_of(["0", "one", "three", "four"]);
    let left = [batch(0, vec![ints([0, 1, 3, 4]), key(&[0, 1, 3, 4]), labels])];
    compare::assert_rows::<S>(&table, &left, &bed.read(&table).await);
    let again = bed.replay(&mut changer, &groups).await;
    assert_eq!(again[0].confirmed, 1, "{again:?}");
    compare::assert_rows::<S>(&table, &left, &bed.read(&table).await);
}

/// The order of the key is not that of the columns, and no column alone tells the rows apart.
async fn several<S: Subject>(bed: Bed<S>) {
    let draft = Draft::new("rowstorm_key_several").column("part", "varchar(9)");
    let table = draft.column("n", "int").column("label", "text").keyed_by(&["n", "part"]).plan();
    bed.recreate(&table).await;
    let load = vec![
        ints(0..4),
        texts_of(["a", "b", "a", "b"]),
        ints([1, 1, 2, 2]),
        texts_of(["0", "1", "2", "3"]),
    ];
    bed.write(&table, &batch(0, load)).await;
    let mut changer = bed.changer(&mix(&table, &["label"])).await;
    let insert = rows(vec![ints([4]), texts_of(["c"]), ints([1]), texts_of(["4"])]);
    let update = vec![ints([1, 2, 3, 1]), texts_of(["b", "a", "a", "c"]), texts_of(["x"; 4])];
    let groups = [
        (INSERT, &insert),
        (UPDATE, &rows(update)),
        (READ, &rows(vec![ints([1, 2]), texts_of(["a", "c"])])),
        (DELETE, &rows(vec![ints([2, 1]), texts_of(["b", "z"])])),
    ];
    let answers = bed.commit(&mut changer, &groups).await;
    assert_eq!(answers, [Changed::matched(1), found(3, 1), found(1, 1), found(1, 1)]);
    let left = vec![
        ints([0, 1, 2, 4]),
        texts_of(["a", "b", "a", "c"]),
        ints([1, 1, 2, 1]),
        texts_of(["0", "x", "x", "x"]),
    ];
    compare::assert_rows::<S>(&table, &[batch(0, left)], &bed.read(&table).await);
}

/// Each name as the table's, the key's and a column's that is set.
async fn hostile<S: Subject>(bed: Bed<S>) {
    let names: Vec<&str> =
        HOSTILE.into_iter().filter(|name| S::can_name(NamePlace::Column, name)).collect();
    for (at, &name) in names.iter().enumerate() {
        let set = names[(at + 1) % names.len()];
        let table = if S::can_name(NamePlace::Table, name) { name } else { "rowstorm_hostile" };
        let draft = Draft::new(table).column(name, "bigint").column(set, "text");
        let table = draft.column("plain", "text").keyed_by(&[name]).plan();
        bed.recreate(&table).await;
        let mut changer = bed.changer(&mix(&table, &[set])).await;
        let insert = vec![ints(0..3), ints(10..13), texts_of([name; 3]), texts_of([set; 3])];
        let groups = [
            (INSERT, &rows(insert)),
            (UPDATE, &rows(vec![ints([11, 99]), texts_of([set, "no"])])),
            (READ, &rows(vec![ints([10])])),
            (DELETE, &rows(vec![ints([12])])),
        ];
        let answers = bed.commit(&mut changer, &groups).await;
        let wanted = [found(3, 0), found(1, 1), found(1, 0), found(1, 0)];
        assert_eq!(answers, wanted, "{name}");
        let labels = texts_of([name, set]);
        let left = [batch(0, vec![ints(0..2), ints(10..12), labels, texts_of([set; 2])])];
        compare::assert_rows::<S>(&table, &left, &bed.read(&table).await);
    }
}
