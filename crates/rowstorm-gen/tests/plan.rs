//! What a plan says of itself: its rows, its fingerprint, its errors, and rules of your own.

use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Fill, Plan, PlanError, PlanOptions, Rows, Storage, Stream, Values};

const SHOP: &str = "
version: 1
tables:
  orders:
    key: [id]
    preload: 500
    columns:
      id:       { type: bigint, gen: sequence }
      customer: { type: bigint, gen: { ref: { table: customers } } }
      status:   { type: text, gen: { one_of: [open, paid] } }
    indexes: [ { on: [customer] } ]
  customers:
    key: [id]
    preload: 100
    columns:
      id:    { type: bigint, gen: sequence }
      email: { type: text, gen: { template: 'c{id}@example.org' } }
";

fn compile(text: &str, options: PlanOptions) -> Result<Plan, PlanError> {
    let schema = Schema::parse(text, Format::Yaml, "shop.yaml").expect("the document is valid");
    Plan::new(&schema, options)
}

fn problem(text: &str, options: PlanOptions) -> String {
    compile(text, options).map(|_| ()).expect_err("a problem").to_string()
}

#[test]
fn parents_come_first() {
    let plan = compile(SHOP, PlanOptions::default()).unwrap();
    let names: Vec<&str> = plan.tables().iter().map(|table| &*table.name).collect();
    assert_eq!(names, ["customers", "orders"]);
    assert_eq!(plan.table("orders").unwrap().key, [0]);
    let missing = plan.table("order").unwrap_err().to_string();
    assert_eq!(missing, "there is no table `order`; there are: customers, orders");
}

#[test]
fn a_total_of_rows_is_shared_out() {
    let plan = compile(SHOP, PlanOptions { rows: Some(60), ..PlanOptions::default() }).unwrap();
    assert_eq!(plan.table("orders").unwrap().rows, Some(50));
    assert_eq!(plan.table("customers").unwrap().rows, Some(10));
    for row in plan.table("orders").unwrap().rows(0..50) {
        assert!((1..=10).any(|id| row["customer"] == id), "{row}");
    }
}

#[test]
fn the_fingerprint_moves_with_the_data_and_with_nothing_else() {
    let of = |text: &str, options| compile(text, options).unwrap().fingerprint();
    let base = of(SHOP, PlanOptions::default());
    for (same, old, new) in [
        (true, "indexes: [ { on: [customer] } ]", "sqlite: { without_rowid: true }"),
        (true, "preload: 500", "preload: 501"),
        (true, "gen: sequence }\n      email", "gen: sequence, unit: number }\n      email"),
        (true, "version: 1", "version: 1\nrun: { batch: 7 }"),
        (false, "preload: 100", "preload: 101"),
        (false, "[open, paid]", "[open, late]"),
        (false, "status:", "state:"),
        (false, "gen: { one_of", "nulls: 0.1, gen: { one_of"),
        (false, "type: bigint, gen: sequence }\n      c", "type: int, gen: sequence }\n      c"),
    ] {
        assert!(SHOP.contains(old), "{old}");
        let other = of(&SHOP.replace(old, new), PlanOptions::default());
        assert_eq!(other == base, same, "{old} -> {new}");
    }
    assert_eq!(of(SHOP, PlanOptions { epoch_us: 0, ..PlanOptions::default() }), base);
    assert_ne!(of(SHOP, PlanOptions { seed: 43, ..PlanOptions::default() }), base);
}

#[test]
fn now_is_the_epoch() {
    let text = "version: 1\ntables: { t: { columns: { at: { type: timestamp, gen: now } } } }";
    let plan = compile(text, PlanOptions { epoch_us: 7, ..PlanOptions::default() }).unwrap();
    let rows = plan.table("t").unwrap().rows(5..7);
    assert_eq!(rows[1].to_string(), "at=1970-01-01T00:00:00.000007Z");
}

#[test]
fn problems_say_where_and_what_would_be_right() {
    let rows = |rows| PlanOptions { rows: Some(rows), ..PlanOptions::default() };
    let open_ended = SHOP.replace("    preload: 100\n", "");
    let said = problem(&open_ended, PlanOptions::default());
    assert!(
        said.starts_with("tables.orders.columns.customer: `customers` is open-ended"),
        "{said}"
    );
    let childless = SHOP.replace("preload: 100", "preload: 0");
    let said = problem(&childless, PlanOptions::default());
    assert!(said.contains("`customers` has no rows to refer to"), "{said}");
    let small = SHOP.replace("id:       { type: bigint", "id:       { type: smallint");
    let said = problem(&small, rows(100_000));
    assert!(said.contains("which does not fit `smallint`"), "{said}");
    let narrow = SHOP
        .replace("{ one_of: [open, paid] }", "{ fake: sentence }")
        .replace("status:   { type: text", "status:   { type: varchar(3)");
    let said = problem(&narrow, PlanOptions::default());
    assert!(said.contains("no word of this list fits `varchar(3)`"), "{said}");
    let unique = SHOP.replace(
        "id:       { type: bigint, gen: sequence }",
        "id:       { type: bigint, unique: true, gen: { uniform: [1, 500] } }",
    );
    assert!(compile(&unique, PlanOptions::default()).is_ok());
    let said = problem(&unique, rows(10_000));
    assert!(said.contains("only 500 different values"), "{said}");
}

#[test]
fn storage_is_known_beforehand() {
    let plan = compile(SHOP, PlanOptions::default()).unwrap();
    let orders = plan.table("orders").unwrap();
    assert!(matches!(orders.columns[1].storage, Storage::Plain));
    let Storage::Dictionary(entries) = &orders.columns[2].storage else { panic!("no dictionary") };
    assert!(matches!(&entries.values, Values::Text(texts) if texts.len() == 2));
}

#[derive(Debug)]
struct Thousands;

impl Fill for Thousands {
    fn fill(&self, _: Stream, rows: Rows<'_>, out: &mut Values) {
        rows.map_into(out.ints(), |row| row as i64 * 1000);
    }
}

#[test]
fn a_rule_of_your_own_is_seen_by_templates_and_references() {
    let base = compile(SHOP, PlanOptions::default()).unwrap();
    let plan = base.clone().with_fill("customers", "id", Thousands).unwrap();
    assert_ne!(plan.fingerprint(), base.fingerprint());
    assert_eq!(plan.table("customers").unwrap().rows(2..3)[0]["email"], "c2000@example.org");
    for row in plan.table("orders").unwrap().rows(0..500) {
        assert!(row["customer"].to_string().trim_end_matches("000").len() <= 2, "{row}");
    }
}

#[test]
fn a_rule_of_the_wrong_kind_is_refused() {
    let plan = compile(SHOP, PlanOptions::default()).unwrap();
    let said = plan.clone().with_fill("orders", "status", Thousands).unwrap_err().to_string();
    assert!(said.starts_with("tables.orders.columns.status: the fill does not make"), "{said}");
    let said = plan.with_fill("orders", "state", Thousands).unwrap_err().to_string();
    assert!(said.ends_with("there is no such column; there are: id, customer, status"), "{said}");
}

#[test]
fn series_columns_are_kept_unless_their_texts_are_long() {
    let storage = |generator: &str| {
        let text = format!(
            "version: 1
tables: {{ t: {{ series: {{ count: 60000 }}, columns: {{
  c: {{ type: text, per: series, gen: {generator} }} }} }} }}"
        );
        compile(&text, PlanOptions::default()).unwrap().table("t").unwrap().columns[0]
            .storage
            .clone()
    };
    assert!(matches!(storage("{ fake: sentence }"), Storage::Series(_)));
    assert!(matches!(storage("{ text: { bytes: 100 } }"), Storage::Series(_)));
    assert!(matches!(storage("{ text: { bytes: 1000 } }"), Storage::Plain));
}
