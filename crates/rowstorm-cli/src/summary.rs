//! Records for people: the summary on the terminal, the report as a page. The words are the library's; this says how
//! wide and how colourful.

use std::io::IsTerminal;
use std::path::Path;

use rowstorm::RunRecord;
use rowstorm::report::{self, Checked, Style, Threshold, chart};
use rowstorm::schema::RunSettings;

use crate::console;
use crate::exit::{Failure, Result};

/// Lines of a chart: a third of a small terminal.
const CHART_ROWS: usize = 8;

/// How text on standard output is laid out.
pub(crate) fn style() -> Style {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    Style {
        color: console::colours_of(std::io::stdout().is_terminal()),
        width: console::width(),
        unicode: !dumb,
    }
}

/// The end of a run: promises, verdict, figures, and the files that were written.
pub(crate) fn text(record: &RunRecord, checked: &[Checked], written: &[&Path]) -> String {
    let written: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    report::summary(record, checked, &written, style())
}

/// The first `most` charts that a record has data for, in characters, a blank line between them.
pub(crate) fn charts(record: &RunRecord, most: usize) -> String {
    let drawn = chart::charts(record);
    let texts: Vec<String> =
        drawn.iter().take(most).map(|one| report::draw(one, CHART_ROWS, style())).collect();
    texts.join("\n")
}

/// The thresholds of the settings, before the run: a misspelt one must not wait for its end.
pub(crate) fn thresholds(settings: &RunSettings) -> Result<Vec<Threshold>> {
    let texts = settings.thresholds.iter().flatten().map(|text| text.trim());
    texts
        .filter(|text| !text.is_empty())
        .map(|text| {
            Threshold::parse(text).map_err(|error| Failure::usage(format!("threshold: {error}")))
        })
        .collect()
}

/// Writes the report as a page.
pub(crate) fn write_html(record: &RunRecord, checked: &[Checked], path: &Path) -> Result<()> {
    std::fs::write(path, report::html(record, checked))
        .map_err(|cause| Failure::io(format!("cannot write {}", path.display()), &cause))
}
