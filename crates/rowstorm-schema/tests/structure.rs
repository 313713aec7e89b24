//! Every mistake of structure is reported, all of them at once, with its place, line, column and what would be right.

mod common;

use common::{check, check_column, problems, table};
use rowstorm_schema::Format;

#[test]
fn misspelt_words_get_a_suggestion() {
    check(
        "version: 1\ntable: {}\ntables: { t: { columns: { a: { type: int, gen: sequence } } } }",
        "table",
        (2, 1),
        "unknown key `table`",
        "expected one of",
    );
    check_column("{ »typ: int, gen: sequence }", ".typ", "unknown key `typ`", "mean `type`?");
    check_column("{ type: »inte, gen: sequence }", ".type", "unknown type", "mean `int`?");
    check_column("{ type: int, gen: »sequense }", ".gen", "unknown generator", "mean `sequence`?");
    check_column(
        "{ type: int, gen: { »unifrom: [0, 9] } }",
        ".gen.unifrom",
        "unknown generator",
        "mean `uniform`?",
    );
    check_column(
        "{ type: text, gen: { fake: »firstname } }",
        ".gen.fake",
        "unknown word",
        "mean `first_name`?",
    );
    check_column(
        "{ type: float, gen: { walk: { mean: 1, »stdv: 1 } } }",
        ".gen.walk.stdv",
        "unknown key",
        "mean `stdev`?",
    );
    check_column(
        "{ type: float, gen: { exponential: { »men: 1 } } }",
        ".gen.exponential.men",
        "unknown key",
        "mean `mean`?",
    );
    check_column(
        "{ type: int, gen: sequence, ddl: { »postgre: smallint } }",
        ".ddl.postgre",
        "no database `postgre`",
        "mean `postgres`?",
    );
}

#[test]
fn missing_keys_are_shown_where_they_belong() {
    check_column("{ type: int }", "", "`gen` is missing", "The rule that makes the values");
    check_column(
        "{ type: float, gen: { »normal: { stdev: 1 } } }",
        ".gen.normal",
        "`mean` is missing",
        "The mean",
    );
    check_column("{ type: float, gen: »walk }", ".gen", "`walk` needs settings", "");
    check_column("{ type: int, gen: »{ } }", ".gen", "no generator", "");
    check_column(
        "{ type: int, gen: »{ sequence: {}, now: {} } }",
        ".gen",
        "a second generator, `now`",
        "",
    );
    check("version: 1\n", "", (1, 1), "`tables` is missing", "The tables by name");
    check("", "", (1, 1), "the document is empty", "version: 1");
}

#[test]
fn wrong_kinds_say_what_was_found() {
    check_column(
        "{ type: int, gen: sequence, nulls: »many }",
        ".nulls",
        "expected a number, found the text `many`",
        "",
    );
    check_column(
        "{ type: int, gen: { uniform: »[1, 2, 3] } }",
        ".gen.uniform",
        "expected a list of 2, found 3",
        "",
    );
    check_column(
        "{ type: int, gen: { uniform: »3 } }",
        ".gen.uniform",
        "expected a list, found `3`",
        "",
    );
    check_column(
        "{ type: text, gen: { template: »7 } }",
        ".gen.template",
        "expected text, found `7`",
        "quote it: \"7\"",
    );
    check_column(
        "{ type: int, gen: sequence, unique: »yes }",
        ".unique",
        "expected `true` or `false`, found the text `yes`",
        "",
    );
    check_column(
        "{ type: timestamp, gen: { clock: { step: »10 } } }",
        ".gen.clock.step",
        "`10` is not a length of time with its unit",
        "",
    );
    check_column(
        "{ type: »\"decimal(40,2)\", gen: sequence }",
        ".type",
        "is no decimal; write `decimal(10,2)`",
        "",
    );
    check_column(
        "{ type: bool, gen: { one_of: { true: »x } } }",
        ".gen.one_of.true",
        "expected a number, found the text `x`",
        "",
    );
}

#[test]
fn duplicate_keys_are_errors_in_every_format() {
    check(
        &table(&["a: { type: int, gen: sequence }", "a: { type: int, gen: sequence }"]),
        "tables.t.columns.a",
        (6, 7),
        "`a` is here twice",
        "line 5",
    );
    let json = r#"{ "version": 1, "tables": { "t": { "columns": {
        "a": { "type": "int", "gen": "sequence" },
        "a": { "type": "int", "gen": "sequence" } } } } }"#;
    let found = problems(json, Format::Json);
    assert_eq!(
        (found[0].line, found[0].column, found[0].place.as_str()),
        (3, 9, "tables.t.columns.a")
    );
    let toml = "version = 1\n[tables.t.columns]\na = { type = \"int\", gen = \"sequence\" }\na = { type = \"int\", gen = \"sequence\" }\n";
    let found = problems(toml, Format::Toml);
    assert_eq!((found[0].line, found[0].column), (4, 1), "{found:?}");
}

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_lines() {
    let columns = [
        "a: { type: inte, gen: sequence }",
        "b: { type: int, gen: { uniform: [9, 0] }, nulls: 2 }",
        "c: { type: int }",
        "d: { typ: int, gen: now }",
        "e: { type: text, gen: { template: \"{zz}\" } }",
    ];
    let text = table(&columns) + "run: { batch: often }\nextra: 1\n";
    let lines: Vec<_> = problems(&text, Format::Yaml).iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [5, 6, 6, 7, 8, 8, 9, 10, 11]);
}

#[test]
fn toml_and_json_have_positions_too() {
    let toml = "version = 1\n\n[tables.t.columns.c]\ntype = \"int\"\ngen = { uniform = [\n  9,\n  true,\n] }\n";
    let found = problems(toml, Format::Toml);
    assert_eq!((found[0].line, found[0].column), (7, 3), "{found:?}");
    assert_eq!(found[0].place, "tables.t.columns.c.gen.uniform[1]");
    let json = "{ \"version\": 1,\n  \"tables\": { \"é\": { \"columns\": { \"c\": { \"type\": \"intt\",\n \"gen\": \"sequence\" } } } } }";
    let found = problems(json, Format::Json);
    assert_eq!((found[0].line, found[0].column), (2, 50), "{found:?}");
}

#[test]
fn text_that_is_no_document_says_where_it_breaks() {
    let cases = [
        ("version: 1\ntables: [\n", Format::Yaml),
        ("version = 1\ntables = {\n", Format::Toml),
        ("{ \"version\": 1,\n \"tables\": ", Format::Json),
    ];
    for (text, format) in cases {
        let found = problems(text, format);
        assert!(found[0].line >= 2, "{found:?}");
        assert!(found[0].message.starts_with("not "), "{found:?}");
    }
}

#[test]
fn deep_and_endless_documents_are_refused() {
    let deep = "[".repeat(300);
    for format in [Format::Yaml, Format::Json] {
        problems(&format!("{deep}{}", "]".repeat(300)), format);
    }
    let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned())
        .chain((1..9).map(|n| {
            let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
            format!("a{n}: &a{n} [{aliases}]\n")
        }))
        .collect();
    let found = problems(&bomb, Format::Yaml);
    assert!(found.iter().any(|problem| problem.message.contains("more than")), "{found:?}");
}
