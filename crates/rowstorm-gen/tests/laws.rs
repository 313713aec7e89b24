//! The invariants of docs/architecture.md, as laws.

mod kinds;

use std::collections::HashSet;
use std::sync::OnceLock;

use kinds::{KINDS, document, plan, plan_of};
use proptest::prelude::*;
use rowstorm_gen::{BATCH_ROWS_MAX, Batch, Plan, Row, Value};

fn column(rows: &[Row], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

/// A few seeds' plans: pools and entries are drawn once for all cases.
fn plans() -> &'static [Plan] {
    static PLANS: OnceLock<Vec<Plan>> = OnceLock::new();
    PLANS.get_or_init(|| (0..3).map(plan).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    /// Invariant 1, for every kind at once: each is a column of the table.
    #[test]
    fn a_range_is_its_parts(
        start in prop_oneof![0_u64..40, 0_u64..60_000, Just((1_u64 << 40) - 3)],
        left in 0_u64..40,
        right in 0_u64..40,
        seed in 0_u64..3,
    ) {
        let table = plans()[seed as usize].table("kinds").unwrap();
        let whole = table.rows(start..start + left + right);
        let mut parts = table.rows(start..start + left);
        parts.extend(table.rows(start + left..start + left + right));
        prop_assert_eq!(whole, parts);
    }

    /// A batch that held other rows before is as good as a new one.
    #[test]
    fn memory_is_kept_and_values_are_not(first in 0_u64..2_000, len in 0_u64..200, second in 0_u64..2_000) {
        let table = plans()[1].table("kinds").unwrap();
        let (mut used, mut new) = (Batch::default(), Batch::default());
        table.fill(first..first + len, &mut used);
        table.fill(second..second + 50, &mut used);
        table.fill(second..second + 50, &mut new);
        prop_assert_eq!(format!("{used:?}"), format!("{new:?}"));
    }
}

#[test]
fn one_column_stands_alone_whatever_is_around_it() {
    // Invariant 2. Templates read other columns, so they come with them.
    let whole = plan(42).table("kinds").unwrap().rows(10..60);
    for (name, spec) in KINDS.iter().filter(|(name, spec)| {
        !spec.contains("template") || *name == "host" || *name == "array_template"
    }) {
        let alone = plan_of(&document(&[(name, spec)]), 42).table("kinds").unwrap().rows(10..60);
        assert_eq!(column(&alone, name), column(&whole, name), "{name}");
    }
}

#[test]
fn renaming_adding_and_reordering_columns_changes_no_other_column() {
    let whole = plan(42).table("kinds").unwrap().rows(0..50);
    let mut columns: Vec<(&str, &str)> = KINDS.iter().rev().copied().collect();
    columns.insert(3, ("added", "{ type: int, gen: { uniform: [0, 9] } }"));
    let renamed = columns.iter_mut().find(|(name, _)| *name == "walk").unwrap();
    renamed.0 = "renamed";
    let other = plan_of(&document(&columns), 42).table("kinds").unwrap().rows(0..50);
    for (name, _) in KINDS.iter().filter(|(name, _)| *name != "walk") {
        assert_eq!(column(&other, name), column(&whole, name), "{name}");
    }
    assert_ne!(column(&other, "renamed"), column(&whole, "walk"));
}

#[test]
fn same_seed_same_data_and_another_seed_other_data() {
    let rows = |seed| plan(seed).table("kinds").unwrap().rows(0..100);
    assert_eq!(rows(7), rows(7));
    let (one, other) = (rows(7), rows(8));
    for name in ["uniform", "one_of", "text", "uuid_v4", "walk", "uniform_unique", "ref"] {
        assert_ne!(column(&one, name), column(&other, name), "{name}");
    }
}

#[test]
fn unique_generators_never_repeat() {
    let names = ["sequence", "uniform_unique", "uuid_v4", "uuid_v7", "template"];
    let columns: Vec<_> =
        KINDS.iter().filter(|(name, _)| names.contains(name) || *name == "fake").copied().collect();
    let plan = plan_of(&document(&columns), 3);
    let rows = plan.table("kinds").unwrap().rows(0..100_000);
    for name in names {
        let seen: HashSet<String> = rows.iter().map(|row| row[name].to_string()).collect();
        assert_eq!(seen.len(), 100_000, "{name}");
    }
}

#[test]
fn references_hit_rows_of_their_parent() {
    let plan = plan(3);
    let parents = plan.table("parents").unwrap().rows(0..1000);
    let set = |name| column(&parents, name).iter().map(Value::to_string).collect::<HashSet<_>>();
    let (ids, emails, states) = (set("id"), set("email"), set("status"));
    let mut hit = HashSet::new();
    for row in plan.table("kinds").unwrap().rows(0..20_000) {
        assert!(ids.contains(&row["ref"].to_string()));
        assert!(ids.contains(&row["ref_zipf"].to_string()));
        assert!(emails.contains(&row["ref_column"].to_string()));
        assert!(states.contains(&row["ref_dictionary"].to_string()));
        hit.insert(row["ref"].to_string());
    }
    assert_eq!(hit.len(), 1000, "every parent is picked by somebody");
}

#[test]
fn templates_show_the_very_values_of_their_row() {
    for (place, row) in plan(5).table("kinds").unwrap().rows(0..300).iter().enumerate() {
        let text = row["template"].to_string();
        let start = format!("{}.{}@{{", row["fake"], row["sequence"]);
        assert!(text.starts_with(&start), "{text} {start}");
        assert!(text.ends_with(&format!("}}/{place}/{}", place % 7)), "{text}");
        let nulls = match &row["nulls"] {
            Value::Null => String::new(),
            value => value.to_string(),
        };
        assert!(
            row["template_kinds"].to_string().contains(&format!(" {} {nulls}|", row["per_series"]))
        );
        let expected = format!("{}-{}-", row["per_series"], place % 7);
        assert!(row["per_series_template"].to_string().starts_with(&expected));
    }
}

#[test]
fn an_entity_keeps_its_values_and_its_levels() {
    let rows = plan(5).table("kinds").unwrap().rows(0..70);
    for (place, row) in rows.iter().enumerate() {
        let entity = place % 7;
        for name in ["per_series", "per_series_nulls", "per_series_template", "host"] {
            assert_eq!(row[name], rows[entity][name]);
        }
        assert_eq!(row["unit"], entity as i64 + 1);
        assert_eq!(row["line"], (entity % 3) as i64);
        assert_eq!(row["site"], (entity / 3 % 2) as i64);
        assert_eq!(row["host"], &*format!("host_{entity}"));
    }
}

#[test]
fn a_series_too_large_to_keep_has_the_same_rules() {
    let text = |count: u64| {
        format!(
            "version: 1
tables:
  t:
    preload: 1000000
    series: {{ count: {count}, levels: {{ unit: id }} }}
    columns:
      a: {{ type: int, gen: {{ uniform: [0, 99] }}, per: series, nulls: 0.3 }}
      b: {{ type: text, gen: {{ one_of: [x, y] }}, per: series }}
      c: {{ type: text, gen: {{ template: '{{a}}{{b}}{{unit}}' }}, per: series }}
"
        )
    };
    let small = plan_of(&text(65_536), 9).table("t").unwrap().rows(0..3000);
    let large_plan = plan_of(&text(65_537), 9);
    let large = large_plan.table("t").unwrap();
    assert_eq!(small, large.rows(0..3000));
    assert_eq!(large.rows(65_530..65_540)[7..], small[0..3]);
}

#[test]
#[should_panic(expected = "has more than 1024 rows")]
fn a_batch_is_limited() {
    let plan = plan(1);
    let table = plan.table("kinds").unwrap();
    let mut batch = Batch::default();
    table.fill(0..BATCH_ROWS_MAX as u64, &mut batch);
    assert_eq!(batch.len(), BATCH_ROWS_MAX);
    table.fill(0..BATCH_ROWS_MAX as u64 + 1, &mut batch);
}
