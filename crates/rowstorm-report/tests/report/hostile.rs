//! Whatever is in a record's texts: it is shown as text, in a page, in Markdown and in a terminal.

use proptest::prelude::*;
use rowstorm_report::{
    ErrorEntry, RunRecord, ServerEntry, Settings, Style, TableRows, html, markdown, summary,
};

use crate::fixtures;

/// Pieces that break careless writers.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("</td></tr></table>".to_owned()),
        Just("<script>alert(1)</script>".to_owned()),
        Just("\" onload=\"x".to_owned()),
        Just("' onload='x".to_owned()),
        Just("&lt;b&gt;".to_owned()),
        Just("-->".to_owned()),
        Just("]]>".to_owned()),
        Just("</style><svg/onload=x>".to_owned()),
        Just("| a | b\n|---|---|\n".to_owned()),
        Just("[x](javascript:x) `code` ``` **b** # h".to_owned()),
        Just("\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m".to_owned()),
        Just("\u{202e}txet".to_owned()),
        ".{0,12}",
    ];
    // Never nothing: an empty word leaves its line out.
    prop::collection::vec(piece, 1..4).prop_map(|pieces| format!("x{}", pieces.concat()))
}

fn poisoned(text: &str) -> RunRecord {
    let mut record = fixtures::troubled();
    let owned = || text.to_owned();
    record.target = owned();
    record.rowstorm = owned();
    record.started_at = owned();
    record.epoch = owned();
    record.fingerprint = owned();
    record.table_mode = owned();
    record.limited_by = owned();
    record.failure = Some(owned());
    record.ended = owned();
    record.settings = Settings {
        schema: owned(),
        batch: owned(),
        in_flight: owned(),
        indexes: owned(),
        max_errors: owned(),
        ..record.settings
    };
    record.host.insert(owned(), owned());
    record.server.push(ServerEntry { name: owned(), value: owned() });
    record.errors.push(ErrorEntry { class: owned(), count: 1, samples: vec![owned()] });
    record.batch.decisions[1].reason = owned();
    record.tables.push(TableRows { table: owned(), ..TableRows::default() });
    record
}

/// The tags of a page, in order, without what stands in quotes.
fn tags(page: &str) -> Vec<String> {
    let starts = page.match_indices('<').map(|(at, _)| at);
    starts
        .map(|at| {
            let tag = &page[at + 1..];
            tag.chars().take_while(|c| c.is_ascii_alphanumeric() || "!/-".contains(*c)).collect()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// A page has the same tags and the same quotes, whatever its texts say.
    #[test]
    fn no_text_breaks_out_of_the_page(text in hostile()) {
        let page = html(&poisoned(&text), &[]);
        let plain = html(&poisoned("plain"), &[]);
        prop_assert_eq!(tags(&page), tags(&plain));
        prop_assert_eq!(page.matches('"').count(), plain.matches('"').count());
        prop_assert!(page.len() < 200_000);
    }

    /// A terminal is steered by nothing that comes from a record.
    #[test]
    fn no_text_steers_the_terminal(text in hostile(), color: bool) {
        let style = Style { color, ..Style::default() };
        let shown = summary(&poisoned(&text), &[], std::slice::from_ref(&text), style);
        for (at, _) in shown.match_indices('\u{1b}') {
            let rest = &shown[at + 1..];
            let ours = ["[0m", "[1m", "[2m", "[31m", "[32m", "[33m"];
            prop_assert!(color && ours.iter().any(|code| rest.starts_with(code)), "{rest:?}");
        }
        let steering = ['\u{7}', '\u{9b}', '\u{202e}'];
        prop_assert!(!shown.contains(steering));
    }

    /// Markdown keeps its tables and headings, and no tag gets through.
    #[test]
    fn no_text_breaks_out_of_the_markdown(text in hostile()) {
        let shape = |text: &str| {
            let shown = markdown(&poisoned(text), &[]);
            let lines: Vec<usize> =
                shown.lines().filter(|line| !line.starts_with("    ")).map(|line| line.replace("\\|", "").matches('|').count()).collect();
            (lines, shown)
        };
        let (lines, shown) = shape(&text);
        prop_assert_eq!(lines, shape("plain").0);
        // Four blanks make code, where nothing is markup; it is one line, whatever is in it.
        let prose: Vec<&str> = shown.lines().filter(|line| !line.starts_with("    ")).collect();
        prop_assert_eq!(shown.lines().count() - prose.len(), 1);
        prop_assert!(!prose.iter().any(|line| line.contains('<')));
    }
}
