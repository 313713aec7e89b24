//! What was measured, as text.

use std::fmt::Write as _;

use super::contest::{Contest, Entrant};
use super::grid::{REFERENCE, Setting};
use super::sample::Sample;
use super::survey::{Cell, Out, Survey};
use super::trial::Trial;

/// A survey's tables: rows are batches, columns are batches in flight.
pub(super) fn survey(survey: &Survey) -> String {
    let mut text = String::new();
    let rate = |trial: &Trial| trial.rows_per_second;
    grid(&mut text, survey, "thousand rows/s", |cell| {
        format!("{:.0}", cell.sample(rate).median() / 1e3)
    });
    grid(&mut text, survey, "share of the reference around it", |cell| {
        format!("{:.2}", cell.share().median())
    });
    grid(&mut text, survey, "client CPU, seconds per million rows", |cell| {
        format!("{:.2}", cell.sample(|trial| trial.client_cpu).median())
    });
    if survey.reference.iter().any(|trial| trial.server_cpu.is_finite()) {
        grid(&mut text, survey, "server CPU, seconds per million rows", |cell| {
            format!("{:.2}", cell.sample(|trial| trial.server_cpu).median())
        });
    }
    grid(
        &mut text,
        survey,
        "noise: half of the way from the slowest to the fastest run, %",
        |cell| {
            let share = cell.share();
            if share.len() < 2 { "–".to_owned() } else { format!("{:.0}", 100.0 * share.noise()) }
        },
    );
    let reference: Sample = survey.reference.iter().map(rate).collect();
    let _ = writeln!(
        text,
        "the reference, {REFERENCE}, {} times in between: {}",
        reference.len(),
        span(&reference, 1e-3, "k rows/s")
    );
    for (setting, cell) in &survey.cells {
        if let Some(Out::Failed(reason)) = &cell.out {
            let _ = writeln!(text, "{setting} failed: {reason}");
        }
    }
    text
}

/// A contest's table, and the ratios that count.
pub(super) fn contest(contest: &Contest) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:>16} {:>28} {:>12} {:>12}   at the end",
        "contest", "thousand rows/s", "client CPU", "server CPU"
    );
    for entrant in &contest.entrants {
        let rate = contest.sample(*entrant, |trial| trial.rows_per_second);
        let client = contest.sample(*entrant, |trial| trial.client_cpu).median();
        let server = contest.sample(*entrant, |trial| trial.server_cpu).median();
        let chosen = contest.trials(*entrant).map(|trial| trial.chosen);
        // Of a fixed setting only where the target takes less.
        let chosen = chosen.filter(|chosen| *entrant != Entrant::Fixed(*chosen));
        let chosen: Vec<String> = chosen.map(|chosen| chosen.to_string()).collect();
        let chosen = chosen.join(", ");
        let _ = writeln!(
            text,
            "{:>16} {:>28} {client:>12.2} {:>12}   {chosen}",
            entrant.name(),
            span(&rate, 1e-3, ""),
            if server.is_finite() { format!("{server:.2}") } else { "–".to_owned() },
        );
    }
    for failure in &contest.failures {
        let _ = writeln!(text, "{failure}");
    }
    for (name, ratio) in ratios(contest) {
        let _ = writeln!(text, "{name:<38} {}", span_of_ratio(&ratio));
    }
    text
}

/// The ratios that count, by name.
pub(super) fn ratios(contest: &Contest) -> Vec<(&'static str, Sample)> {
    let Some(best) = contest.best().map(Entrant::Fixed) else { return Vec::new() };
    let reference = Entrant::Fixed(REFERENCE);
    vec![
        ("auto to the best fixed setting", contest.ratio(Entrant::Auto, best)),
        ("tuned to the best fixed setting", contest.ratio(Entrant::Tuned, best)),
        ("auto to the reference", contest.ratio(Entrant::Auto, reference)),
        ("the reference to the best", contest.ratio(reference, best)),
    ]
}

fn grid(text: &mut String, survey: &Survey, title: &str, show: impl Fn(&Cell) -> String) {
    let mut batches: Vec<u32> = survey.cells.keys().map(|setting| setting.batch).collect();
    let mut columns: Vec<u32> = survey.cells.keys().map(|setting| setting.in_flight).collect();
    batches.dedup();
    columns.sort_unstable();
    columns.dedup();
    let _ = writeln!(text, "{title}");
    let head: Vec<String> = columns.iter().map(|in_flight| format!("{in_flight:>8}")).collect();
    let _ = writeln!(text, "{:>9}{}", "batch ×", head.concat());
    for batch in batches {
        let shown = |&in_flight: &u32| {
            let cell = survey.cells.get(&Setting { batch, in_flight });
            let shown = match cell.map(|cell| (&cell.out, cell.trials.is_empty())) {
                Some((Some(Out::Failed(_)), _)) => "failed".to_owned(),
                Some((Some(Out::TooLarge), _) | (None, true)) | None => "–".to_owned(),
                Some((None, false)) => cell.map(&show).unwrap_or_default(),
            };
            format!("{shown:>8}")
        };
        let line: Vec<String> = columns.iter().map(shown).collect();
        let _ = writeln!(text, "{batch:>9}{}", line.concat());
    }
    text.push('\n');
}

/// "112 (105 to 120)".
fn span(sample: &Sample, scale: f64, unit: &str) -> String {
    let [middle, low, high] =
        [sample.median(), sample.low(), sample.high()].map(|figure| figure * scale);
    let space = if unit.is_empty() { "" } else { " " };
    format!("{middle:.0}{space}{unit} ({low:.0} to {high:.0})")
}

fn span_of_ratio(sample: &Sample) -> String {
    format!("{:.3} ({:.3} to {:.3})", sample.median(), sample.low(), sample.high())
}
