//! What `verify` found, for a terminal: the verdict first, then tables, then the rows that differ.

use crate::number::{grouped, milliseconds, seconds};
use crate::style::{Ink, Style, clean, cut};
use crate::verification::{Finding, Followed, Verification, VerifiedTable, Wrongs};

/// Where the values of the lines begin.
const INDENT: usize = 13;

/// Counts and sums of a table that are shown.
const CONTRADICTIONS_MAX: usize = 3;

impl Verification {
    /// The comparison as text that ends with a line break.
    ///
    /// ```
    /// use rowstorm_report::{Style, Verification, VerifiedTable};
    /// let table = VerifiedTable { table: "t".into(), expected: 5, compared: Some(5), one_in: 1, ..Default::default() };
    /// let found = Verification { verified: true, tables: vec![table], ..Default::default() };
    /// let text = found.terminal(Style::default());
    /// assert!(text.starts_with("VERIFIED   5 rows are as they must be"), "{text}");
    /// ```
    pub fn terminal(&self, style: Style) -> String {
        let mut text = self.headline(style);
        let width = self.tables.iter().map(|one| clean(&one.table).chars().count()).max();
        for table in &self.tables {
            let name = clean(&table.table);
            let pad = " ".repeat(width.unwrap_or(0) - name.chars().count());
            let said = format!("{name}{pad}   {}", facts(table));
            line(&mut text, style, "table", &said);
            for wrong in table.contradictions.iter().take(CONTRADICTIONS_MAX) {
                let what =
                    format!("{}: must be {}, is {}", wrong.what, wrong.expected, wrong.found);
                line(&mut text, style, "", &style.paint(Ink::Bad, &clean(&what)));
            }
            let more = table.contradictions.len().saturating_sub(CONTRADICTIONS_MAX);
            if more > 0 {
                line(&mut text, style, "", &format!("and {more} counts and sums more, in --json"));
            }
            for note in &table.notes {
                line(&mut text, style, "", &clean(note));
            }
        }
        for finding in &self.findings {
            text.push_str(&row(finding, style));
        }
        if self.findings_left_out > 0 {
            let more = format!("{} more, all of them with --list", grouped(self.findings_left_out));
            line(&mut text, style, "and", &more);
        }
        if let Some(followed) = &self.followed {
            text.push_str(&following(followed, style));
        }
        let data = format!(
            "fingerprint {}   seed {}   compared in {}",
            clean(&self.fingerprint),
            self.seed,
            seconds(self.seconds)
        );
        line(&mut text, style, "data", &data);
        text
    }

    fn headline(&self, style: Style) -> String {
        let sum = |of: fn(&VerifiedTable) -> u64| self.tables.iter().map(of).sum::<u64>();
        let expected = sum(|table| table.expected);
        let compared = sum(|table| table.compared.unwrap_or(0));
        let counted_only = self.tables.iter().all(|table| table.compared.is_none());
        let (word, ink, claim) = match (self.verified, counted_only) {
            (true, true) => (
                "COUNTED",
                Ink::Open,
                format!("counts and sums of {} rows agree; no row was compared", grouped(expected)),
            ),
            (true, false) if self.tables.iter().all(|table| table.one_in <= 1) => {
                ("VERIFIED", Ink::Good, format!("{} rows are as they must be", grouped(expected)))
            }
            (true, false) => (
                "VERIFIED",
                Ink::Good,
                format!(
                    "the {} rows of a sample are as they must be; --full compares all {}",
                    grouped(compared),
                    grouped(expected)
                ),
            ),
            (false, _) => {
                let total =
                    self.tables.iter().fold(Wrongs::default(), |sum, table| sum.and(table.rows));
                let said = total.words();
                let claim = if said.is_empty() {
                    "counts or sums are others than they must be".to_owned()
                } else {
                    said
                };
                ("MISMATCH", Ink::Bad, format!("{claim}, of {} rows", grouped(expected)))
            }
        };
        let claim = style.wrap(&claim, word.len() + 3);
        format!("{}   {}\n", style.paint(Ink::Heading, word), style.paint(ink, &claim))
    }
}

/// One table in a line.
fn facts(table: &VerifiedTable) -> String {
    let mut parts = vec![format!("{} rows", grouped(table.expected))];
    match table.compared {
        None => parts.push("not compared".to_owned()),
        Some(_) if table.one_in <= 1 => parts.push("every row compared".to_owned()),
        Some(rows) => parts.push(format!("{} compared, 1 key in {}", grouped(rows), table.one_in)),
    }
    if let (Some(_), true) = (table.counted, table.contradictions.is_empty()) {
        parts.push("counts and sums agree".to_owned());
    }
    if table.others > 0 {
        parts.push(format!("{} of others", grouped(table.others)));
    }
    if table.known_missing > 0 {
        parts.push(format!("{} refused or lost by the run itself", grouped(table.known_missing)));
    }
    let wrongs = table.rows.words();
    if !wrongs.is_empty() {
        parts.push(wrongs);
    }
    parts.join("   ")
}

fn row(finding: &Finding, style: Style) -> String {
    let value = |value: &Option<String>| value.as_deref().map_or_else(|| "null".to_owned(), clean);
    let key =
        finding.key.iter().map(|cell| format!("{}={}", clean(&cell.column), value(&cell.value)));
    let said = format!(
        "{} {}   {}",
        clean(&finding.table),
        key.collect::<Vec<_>>().join(" "),
        clean(&finding.why)
    );
    let room = style.width.saturating_sub(INDENT).max(40);
    let mut text = String::new();
    line(&mut text, style, finding.kind.word(), &style.wrap(&cut(&said, 3 * room), INDENT));
    for column in &finding.columns {
        let said = format!(
            "{}: must be {}, is {}",
            clean(&column.column),
            value(&column.expected),
            value(&column.found)
        );
        line(&mut text, style, "", &style.paint(Ink::Bad, &cut(&said, 2 * room)));
    }
    text
}

fn following(followed: &Followed, style: Style) -> String {
    let mut text = String::new();
    let ms = &followed.freshness_ms;
    let said = format!(
        "p50 {}   p90 {}   p99 {}   max {}   from commit to copy, {} changes in {} looks",
        milliseconds(ms.p50),
        milliseconds(ms.p90),
        milliseconds(ms.p99),
        milliseconds(ms.max),
        grouped(followed.seen),
        followed.looks.len()
    );
    line(&mut text, style, "freshness", &style.wrap(&said, INDENT));
    let most = followed.looks.iter().map(|look| look.backlog).max().unwrap_or(0);
    let drained = followed.drained_after_s.map_or_else(
        || "not drained".to_owned(),
        |after| format!("drained {} after the run's end", seconds(after)),
    );
    let slope = followed.backlog_per_second;
    let said = format!("at most {} rows   {slope:+.1} rows/s   {drained}", grouped(most));
    line(&mut text, style, "backlog", &said);
    text
}

fn line(text: &mut String, style: Style, name: &str, value: &str) {
    let name = style.paint(Ink::Quiet, &format!("{name:<width$}", width = INDENT - 2));
    text.push_str(&format!("  {name}{value}\n"));
}

impl Wrongs {
    /// Both.
    #[must_use]
    pub fn and(self, other: Wrongs) -> Wrongs {
        Wrongs {
            missing: self.missing + other.missing,
            stale: self.stale + other.stale,
            phantom: self.phantom + other.phantom,
            wrong: self.wrong + other.wrong,
            duplicate: self.duplicate + other.duplicate,
        }
    }

    /// What there is of them: `100 missing, 3 stale`; empty if there are none.
    pub fn words(&self) -> String {
        let parts = [
            (self.missing, "missing"),
            (self.stale, "stale"),
            (self.phantom, "phantom"),
            (self.wrong, "wrong"),
            (self.duplicate, "duplicate"),
        ];
        let said = parts.into_iter().filter(|(rows, _)| *rows > 0);
        said.map(|(rows, word)| format!("{} {word}", grouped(rows))).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::{Cell, Contradiction, Difference, FindingKind};

    #[test]
    fn what_differs_is_said_first_and_names_are_clean() {
        let cell =
            |column: &str, value: &str| Cell { column: column.into(), value: Some(value.into()) };
        let found = Verification {
            tables: vec![VerifiedTable {
                table: "t".into(),
                expected: 5_000,
                counted: Some(4_999),
                compared: Some(4_999),
                one_in: 1,
                contradictions: vec![Contradiction {
                    what: "rows".into(),
                    expected: "5000".into(),
                    found: "4999".into(),
                }],
                rows: Wrongs { missing: 1, wrong: 1, ..Wrongs::default() },
                notes: vec!["at: compared to the millisecond".into()],
                ..VerifiedTable::default()
            }],
            findings: vec![Finding {
                table: "t".into(),
                kind: FindingKind::Wrong,
                key: vec![cell("id", "7\u{1b}[31m")],
                why: "row 6".into(),
                columns: vec![Difference {
                    column: "n".into(),
                    expected: Some("5".into()),
                    found: None,
                }],
                lost: None,
            }],
            findings_left_out: 1,
            fingerprint: "0123456789abcdef".into(),
            seed: 42,
            seconds: 0.5,
            ..Verification::default()
        };
        assert_eq!(
            found.terminal(Style::default()),
            "\
MISMATCH   1 missing, 1 wrong, of 5,000 rows
  table      t   5,000 rows   every row compared   1 missing, 1 wrong
             rows: must be 5000, is 4999
             at: compared to the millisecond
  wrong      t id=7\u{fffd}[31m   row 6
             n: must be 5, is null
  and        1 more, all of them with --list
  data       fingerprint 0123456789abcdef   seed 42   compared in 0.50s
"
        );
    }
}
