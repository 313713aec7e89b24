//! One door to the parser for the tests of its problems.
#![allow(dead_code, reason = "each test target uses its own part of this module")]

use rowstorm_schema::{Format, Problem, Schema};

/// The problems of a document; none is a failure.
pub(crate) fn problems(text: &str, format: Format) -> Vec<Problem> {
    Schema::parse(text, format, "test").expect_err("the document is wrong").0
}

/// A document with one table `t` of these columns, each on a line of its own from line 5.
pub(crate) fn table(columns: &[&str]) -> String {
    let lines: Vec<_> = columns.iter().map(|column| format!("      {column}\n")).collect();
    format!("version: 1\ntables:\n  t:\n    columns:\n{}", lines.concat())
}

/// Exactly one problem: its place, position, and parts of its message and help.
#[track_caller]
pub(crate) fn check(text: &str, place: &str, at: (usize, usize), message: &str, help: &str) {
    let found = problems(text, Format::Yaml);
    let [problem] = found.as_slice() else { panic!("expected one problem: {found:#?}") };
    assert_eq!(problem.place, place);
    assert_eq!((problem.line, problem.column), at, "{problem}");
    assert!(problem.message.contains(message), "{problem}");
    assert!(problem.help.as_deref().unwrap_or_default().contains(help), "{problem}");
}

/// The same for one column `c` of a table. The place is given from the column on; a `»` stands in front of the position,
/// which is the column's name where there is none.
#[track_caller]
pub(crate) fn check_column(column: &str, place: &str, message: &str, help: &str) {
    const NAME_AT: usize = 7;
    let line = format!("c: {column}");
    let at = line.chars().position(|char| char == '»').map_or(NAME_AT, |at| NAME_AT + at);
    let text = table(&[&line.replace('»', "")]);
    check(&text, &format!("tables.t.columns.c{place}"), (5, at), message, help);
}
