//! Cells computed by another program: docs/determinism.md's Python, run apart from this crate.

#![expect(clippy::unreadable_literal, reason = "the other program's own words")]

use rowstorm_gen::changes::{ChangeBatch, ChangePlan, Fate};
use rowstorm_gen::schema::{Format, Schema};
use rowstorm_gen::{Plan, PlanOptions, Row, Value};

fn rows(columns: &str, rows: u64) -> Vec<Row> {
    let text = format!("version: 1\ntables: {{ cpu: {{ columns: {{ {columns} }} }} }}");
    let schema = Schema::parse(&text, Format::Yaml, "cpu.yaml").expect("the document is valid");
    let plan = Plan::new(&schema, PlanOptions::default()).expect("the document compiles");
    plan.table("cpu").expect("it is the only one").rows(0..rows)
}

#[test]
fn a_program_of_its_own_computes_the_same_cell() {
    let python: [i64; 12] = [1, 48, 31, 49, 90, 88, 28, 5, 100, 89, 59, 94];
    let rows = rows("usage_user: { type: int, gen: { uniform: [0, 100] } }", 12);
    let seen: Vec<_> = rows.iter().map(|row| row["usage_user"].clone()).collect();
    assert_eq!(seen, python);
}

#[test]
fn large_ranges_floats_and_normals_come_out_alike() {
    let wide: [i64; 5] = [519861110034, 806644114609, 429252775918, 322533757776, 622839708728];
    let rows = rows(
        "wide: { type: bigint, gen: { uniform: [0, 1000000000000] } },
         float: { type: float, gen: { uniform: [0, 1] } },
         normal: { type: float, gen: { normal: { mean: 10, stdev: 2 } } }",
        5,
    );
    for (row, python) in rows.iter().zip(wide) {
        assert_eq!(row["wide"], python);
    }
    let floats: [f64; 4] =
        [0.10670149099094861, 0.9763774063046574, 0.000950673260721846, 0.07221057115852081];
    for (row, python) in rows.iter().zip(floats) {
        assert_eq!(row["float"], python);
    }
    // Python's logarithm may round otherwise in the tails.
    let normals: [f64; 4] =
        [8.058718955265833, 10.235313050126038, 10.039856930430634, 9.878616940250133];
    for (row, python) in rows.iter().zip(normals) {
        let Value::Float(value) = row["normal"] else { panic!("{row}") };
        assert!((value - python).abs() < 1e-12, "{value} {python}");
    }
}

#[test]
fn nulls_stand_where_the_other_program_has_them() {
    let python = [
        false, false, false, false, false, true, false, false, false, false, true, false, false,
        false, false, false,
    ];
    let rows = rows("n: { type: int, nulls: 0.25, gen: { uniform: [0, 9] } }", 16);
    let seen: Vec<bool> = rows.iter().map(|row| row["n"] == Value::Null).collect();
    assert_eq!(seen, python);
}

/// docs/changes.md's Python: kinds, rows and values of stream 1.
#[test]
fn a_program_of_its_own_computes_the_same_ops() {
    let python = [
        ("update", 5, Some(632597416934)),
        ("insert", 11, Some(179446983126)),
        ("update", 3, Some(159212100750)),
        ("delete", 1, None),
        ("insert", 13, Some(884571306060)),
        ("update", 11, Some(27571578482)),
        ("update", 11, Some(622999108315)),
        ("insert", 15, Some(469325208746)),
        ("update", 13, Some(410699703586)),
        ("delete", 3, None),
        ("insert", 17, Some(968115812329)),
        ("update", 9, Some(33065324680)),
    ];
    let text = "version: 1
tables:
  t:
    key: [id]
    preload: 10
    columns:
      id: { type: bigint, gen: sequence }
      n: { type: bigint, gen: { uniform: [0, 1000000000000] } }
changes:
  streams: 2
  mix:
    - { insert: t, weight: 2 }
    - { update: t, set: [n], weight: 3 }
    - { delete: t, weight: 1 }
";
    let schema = Schema::parse(text, Format::Yaml, "t.yaml").unwrap();
    let plan = Plan::new(&schema, PlanOptions::default()).unwrap();
    let changes = ChangePlan::new(&plan).unwrap();
    let (stream, mut batch) = (changes.stream(1), ChangeBatch::default());
    for (op, (kind, row, value)) in stream.iter(0..12).zip(python) {
        assert_eq!((op.kind.word(), op.row), (kind, row));
        stream.fill(op.number..op.number + 1, Fate::Commit, &mut batch);
        let seen = &changes.statement(op.entry).read(&batch.groups()[0].batch)[0];
        assert_eq!(seen["id"], row as i64 + 1);
        assert_eq!(seen.get("n"), value.map(Value::Int).as_ref());
    }
}
