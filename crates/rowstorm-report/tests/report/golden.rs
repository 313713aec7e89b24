//! Reports as whole texts, against files that a person has looked at. `ROWSTORM_BLESS=1` writes them anew.

use std::path::Path;

use rowstorm_report::{
    RunRecord, Style, Threshold, chart, draw, html, json_schema, markdown, summary,
};

use crate::fixtures;

/// Compares with a file, or writes it if asked to.
pub(crate) fn check(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("ROWSTORM_BLESS").is_some() {
        std::fs::write(&path, text).expect("the golden file can be written");
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == text,
        "{} is not what is written now (ROWSTORM_BLESS=1 accepts it):\n{text}",
        path.display()
    );
}

pub(crate) fn checked(record: &RunRecord) -> Vec<rowstorm_report::Checked> {
    ["rows_per_second > 190000", "latency.p99 < 50ms", "rejected == 0"]
        .iter()
        .map(|text| Threshold::parse(text).expect("a threshold").evaluate(record))
        .collect()
}

#[test]
fn the_json_schema_of_the_record_is_fresh() {
    check("../../schemas/record.schema.json", &json_schema());
}

#[test]
fn a_tuned_run_is_summed_up() {
    let record = fixtures::tuned();
    let written = ["./cpu-20261121-120301.run.json".to_owned(), "./report.html".to_owned()];
    let style = Style::default();
    check("tests/golden/tuned.txt", &summary(&record, &checked(&record), &written, style));
    check("tests/golden/tuned.md", &markdown(&record, &checked(&record)));
    let narrow = Style { width: 60, unicode: false, color: false };
    check("tests/golden/tuned-60-ascii.txt", &summary(&record, &checked(&record), &[], narrow));
}

#[test]
fn a_short_run_claims_no_interval() {
    check("tests/golden/short.txt", &summary(&fixtures::short(), &[], &[], Style::default()));
}

#[test]
fn a_troubled_run_says_what_went_wrong() {
    let record = fixtures::troubled();
    let text = summary(&record, &checked(&record), &[], Style::default());
    assert!(!text.contains('\u{1b}'), "a server's words must not steer the terminal");
    check("tests/golden/troubled.txt", &text);
    let painted = summary(&record, &[], &[], Style { color: true, ..Style::default() });
    assert!(painted.contains("\u{1b}["), "colour where it is asked for");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for record in [fixtures::tuned(), fixtures::short(), fixtures::troubled()] {
        for width in [50, 72, 80, 100, 160] {
            let text = summary(&record, &[], &[], Style { width, ..Style::default() });
            for line in text.lines().filter(|line| !line.contains("reproduce")) {
                assert!(line.chars().count() <= width, "{width} columns: {line}");
            }
        }
    }
}

#[test]
fn charts_are_drawn_in_characters() {
    let drawn = |record: &RunRecord, style| {
        let each = chart::charts(record);
        each.iter().map(|chart| draw(chart, 8, style)).collect::<Vec<_>>().join("\n")
    };
    let style = Style { width: 90, ..Style::default() };
    check("tests/golden/charts.txt", &drawn(&fixtures::tuned(), style));
    let ascii = drawn(&fixtures::tuned(), Style { width: 60, unicode: false, color: false });
    assert!(ascii.is_ascii(), "{ascii}");
    check("tests/golden/charts-60-ascii.txt", &ascii);
    assert_eq!(drawn(&RunRecord::default(), style), "", "nothing is drawn of nothing");
    for line in drawn(&fixtures::short(), style).lines() {
        assert!(line.chars().count() <= 90, "{line}");
    }
}

#[test]
fn pages_are_whole_and_small() {
    for (name, record) in [
        ("tuned", fixtures::tuned()),
        ("short", fixtures::short()),
        ("troubled", fixtures::troubled()),
    ] {
        let page = html(&record, &checked(&record));
        assert_eq!(page, html(&record, &checked(&record)), "equal records give equal pages");
        assert!(page.len() < 200_000, "{name}: {} bytes", page.len());
        for outside in ["http://", "https://", "<script", "url(", "@import"] {
            let links = page.replace("http://www.w3.org/2000/svg", "").replace("url(#", "");
            assert!(!links.contains(outside), "{name} reaches out: {outside}");
        }
        // To be looked at; a drawing is not compared letter by letter.
        let look = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.html"));
        std::fs::write(look, &page).expect("the build directory can be written");
    }
}
