//! What a run is doing, while it does it: one live line on a terminal, plain lines in a pipe. All on standard error.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rowstorm::control::State;
use rowstorm::report::number::{compact, milliseconds, seconds};
use rowstorm::runner::{Live, Phase, Snapshot};
use rowstorm::schema::Progress;
use tokio::task::JoinHandle;

use crate::console;

/// How often the live line is drawn anew.
const DRAW: Duration = Duration::from_millis(200);

/// The seconds that the sparkline shows.
const SPARKS_MAX: usize = 12;

/// How often decisions are looked for where no line is printed.
const LOOK: Duration = Duration::from_secs(1);

/// Reports until it is told to stop.
#[derive(Debug)]
pub(crate) struct Reporter {
    task: Option<JoinHandle<()>>,
    bar: Option<ProgressBar>,
    decisions: Option<Decisions>,
}

/// Says each decision of the controller once.
#[derive(Debug, Clone)]
struct Decisions {
    live: Live,
    told: Arc<AtomicU64>,
}

/// What the lines are made from.
#[derive(Debug, Default)]
struct History {
    per_second: Vec<f64>,
    second: u64,
}

impl Reporter {
    /// Starts reporting on a run.
    pub(crate) fn start(live: Live, progress: Progress, verbose: bool) -> Reporter {
        let decisions = Decisions { live: live.clone(), told: Arc::default() };
        let decisions = verbose.then_some(decisions);
        let terminal = std::io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let (task, bar) = match (progress, decisions.clone()) {
            (Progress::Off, None) => (None, None),
            (Progress::Off, Some(decisions)) => (Some(tokio::spawn(tell(decisions))), None),
            (Progress::Every(_), decisions) if terminal => {
                let bar = live_line();
                (Some(tokio::spawn(draw(live, bar.clone(), decisions))), Some(bar))
            }
            (Progress::Every(every), decisions) => {
                (Some(tokio::spawn(print(live, every.0, decisions))), None)
            }
        };
        Reporter { task, bar, decisions }
    }

    /// Ends reporting, takes the live line away and says what was not said yet.
    pub(crate) async fn stop(self) {
        if let Some(task) = self.task {
            task.abort();
            let _ = task.await;
        }
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        if let Some(decisions) = self.decisions {
            decisions.tell();
        }
    }
}

impl Decisions {
    fn tell(&self) {
        let (fresh, count) = self.live.decisions_since(self.told.load(Ordering::Relaxed));
        for decision in fresh {
            console::talk(&format!(
                "{:>8.2}s  batch {:<7} in-flight {:<4} {}",
                decision.at_s, decision.batch_rows, decision.in_flight, decision.reason
            ));
        }
        self.told.store(count, Ordering::Relaxed);
    }
}

async fn tell(decisions: Decisions) {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        decisions.tell();
    }
}

fn live_line() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg}");
    bar.set_style(style.expect("the template is well-formed"));
    bar.enable_steady_tick(DRAW);
    bar
}

async fn draw(live: Live, bar: ProgressBar, decisions: Option<Decisions>) {
    let mut history = History::default();
    let mut ticks = tokio::time::interval(DRAW);
    loop {
        ticks.tick().await;
        let seen = live.snapshot();
        history.add(&seen);
        if let Some(decisions) = &decisions {
            bar.suspend(|| decisions.tell());
        }
        // Room for the spinner, and the last column, which some terminals wrap at.
        let width = console::width().saturating_sub(3);
        let (first, second) = (line(&seen, &history, width), why(&seen));
        bar.set_message(match second {
            Some(second) => format!("{first}\n  {}", cut(&second, width)),
            None => first,
        });
    }
}

async fn print(live: Live, every: Duration, decisions: Option<Decisions>) {
    let mut history = History::default();
    let mut ticks = tokio::time::interval(every);
    ticks.tick().await;
    let mut last = String::new();
    loop {
        ticks.tick().await;
        let seen = live.snapshot();
        history.add(&seen);
        if seen.phase == Phase::Loading {
            // The sparkline is for eyes, not for logs.
            history.per_second.clear();
        }
        if let Some(decisions) = &decisions {
            decisions.tell();
        }
        let mut text = line(&seen, &history, usize::MAX);
        if let Some(why) = why(&seen) {
            text = format!("{text}: {why}");
        }
        if text != last {
            console::talk(&text);
            last = text;
        }
    }
}

impl History {
    /// Takes in one look.
    fn add(&mut self, seen: &Snapshot) {
        let second = seen.elapsed.as_secs();
        if second > self.second {
            self.second = second;
            if self.per_second.len() == SPARKS_MAX {
                self.per_second.remove(0);
            }
            self.per_second.push(seen.rows_per_second);
        }
    }
}

/// One line of at most `width` columns: what matters less is left out first.
fn line(seen: &Snapshot, history: &History, width: usize) -> String {
    match seen.phase {
        Phase::Preparing => return "making the tables ready".to_owned(),
        Phase::Indexing => return format!("{}  making late indexes and statistics", arrived(seen)),
        Phase::Counting => return format!("{}  counting in the database", arrived(seen)),
        Phase::Changing => return changing(seen, width),
        Phase::Over => return format!("{}  writing the record", arrived(seen)),
        Phase::Loading => {}
    }
    let elapsed = seen.elapsed.as_secs_f64();
    let taken = (seen.rows.accepted + seen.rows.confirmed) as f64;
    let mean = if elapsed > 0.0 { taken / elapsed } else { 0.0 };
    // Before the first whole second there is no other figure.
    let now = if elapsed < 1.0 { mean } else { seen.rows_per_second };
    let latency = |name: &str, ms: f64| {
        if ms > 0.0 { format!("{name} {}", milliseconds(ms)) } else { String::new() }
    };
    let errors = seen.rows.rejected + seen.rows.unknown + seen.retries;
    // Importance, then text; the order of the line is the order here.
    let parts = [
        (0, arrived(seen)),
        (1, format!("now {}/s", compact(now))),
        (4, format!("mean {}/s", compact(mean))),
        (2, format!("batch {}", seen.batch_rows)),
        (2, format!("in-flight {}", seen.in_flight)),
        (5, latency("p50", seen.p50_ms)),
        (3, latency("p99", seen.p99_ms)),
        (1, format!("err {}", compact(errors as f64))),
        (7, sparkline(&history.per_second)),
        (6, state(seen.state).to_owned()),
    ];
    fit(&parts, width)
}

/// The parts in their order, without the least important ones where they do not fit.
fn fit(parts: &[(u32, String)], width: usize) -> String {
    let mut least = 7;
    loop {
        let kept: Vec<&str> = parts
            .iter()
            .filter(|(importance, text)| *importance <= least && !text.is_empty())
            .map(|(_, text)| text.as_str())
            .collect();
        let text = kept.join("  ");
        if least == 0 || text.chars().count() <= width {
            return text;
        }
        least -= 1;
    }
}

/// The changes on one line, as the load.
fn changing(seen: &Snapshot, width: usize) -> String {
    let Some(changes) = &seen.changes else { return "changing rows".to_owned() };
    let elapsed = changes.elapsed.as_secs_f64();
    let done = changes.rows.done() as f64;
    let mean = if elapsed > 0.0 { done / elapsed } else { 0.0 };
    let now = if elapsed < 1.0 { mean } else { changes.ops_per_second };
    let target = changes
        .target_per_second
        .map_or_else(String::new, |rate| format!("of {}/s", compact(rate)));
    let stage = match changes.stage {
        (_, 1) => String::new(),
        (at, of) => format!("stage {at} of {of}"),
    };
    let latency = |name: &str, ms: f64| {
        if ms > 0.0 { format!("{name} {}", milliseconds(ms)) } else { String::new() }
    };
    let skipped = match changes.skipped {
        0 => String::new(),
        skipped => format!("skipped {}", compact(skipped as f64)),
    };
    fit(
        &[
            (0, format!("{:>6}  changes {}", seconds(elapsed), compact(done))),
            (1, format!("now {}/s", compact(now))),
            (2, target),
            (3, stage),
            (2, latency("lag p99", changes.lag_p99_ms)),
            (5, latency("p50", changes.p50_ms)),
            (4, latency("p99", changes.p99_ms)),
            (6, format!("rows/commit {}", changes.batch_rows)),
            (3, skipped),
            (1, format!("err {}", compact((changes.rows.bad() + changes.retries) as f64))),
        ],
        width,
    )
}

fn arrived(seen: &Snapshot) -> String {
    let rows = compact((seen.rows.accepted + seen.rows.confirmed) as f64);
    match seen.rows_wanted {
        Some(wanted) => {
            format!(
                "{:>6}  rows {rows} of {}",
                seconds(seen.elapsed.as_secs_f64()),
                compact(wanted as f64)
            )
        }
        None => format!("{:>6}  rows {rows}", seconds(seen.elapsed.as_secs_f64())),
    }
}

/// One block a value, as tall as its share of the largest.
fn sparkline(values: &[f64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().fold(0.0, f64::max);
    let block = |value: &f64| {
        let share = if most > 0.0 { value / most } else { 0.0 };
        BLOCKS[((share * 7.0).round() as usize).min(7)]
    };
    values.iter().map(block).collect()
}

/// What the controller is about, in words, while it has a say.
fn why(seen: &Snapshot) -> Option<String> {
    let tunes = match seen.state {
        State::Pinned => false,
        State::Exploring | State::Settled | State::Frozen => true,
    };
    (tunes && seen.phase == Phase::Loading).then(|| seen.reason.to_string())
}

/// At most so many columns.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

fn state(state: State) -> &'static str {
    match state {
        State::Pinned => "",
        State::Exploring => "tuning: exploring",
        State::Settled => "tuning: settled",
        State::Frozen => "tuning: frozen",
    }
}

#[cfg(test)]
mod tests {
    use rowstorm::control::Reason;
    use rowstorm::report::Rows;

    use super::*;

    fn seen() -> Snapshot {
        Snapshot {
            phase: Phase::Loading,
            elapsed: Duration::from_secs(12),
            table: None,
            rows_wanted: Some(4_350_000),
            rows: Rows { planned: 2_620_000, accepted: 2_610_000, ..Rows::default() },
            rows_per_second: 221_000.0,
            p50_ms: 8.9,
            p99_ms: 21.0,
            batch_rows: 512,
            in_flight: 4,
            state: State::Settled,
            reason: Reason::Settled { rate: 221_000.0 },
            sending: 3,
            bytes_in_flight: 1,
            bytes_sent: 2,
            retries: 0,
            changes: None,
        }
    }

    fn history() -> History {
        History { per_second: vec![100.0, 200.0, 221.0], ..History::default() }
    }

    #[test]
    fn a_wide_line_says_everything() {
        assert_eq!(
            line(&seen(), &history(), 140),
            " 12.0s  rows 2.6M of 4.3M  now 221k/s  mean 218k/s  batch 512  in-flight 4  p50 8.9ms  \
             p99 21.0ms  err 0  ▄▇█  tuning: settled"
        );
    }

    #[test]
    fn a_narrow_line_keeps_what_matters_most() {
        let narrow = line(&seen(), &history(), 77);
        assert!(narrow.chars().count() <= 77, "{narrow}");
        for part in ["rows 2.6M", "now 221k/s", "batch 512", "err 0"] {
            assert!(narrow.contains(part), "{narrow}");
        }
    }

    #[test]
    fn what_the_controller_is_about_stands_below_while_rows_are_written() {
        assert_eq!(why(&seen()).as_deref(), Some("settled at 221000 rows/s"));
        assert_eq!(why(&Snapshot { state: State::Pinned, ..seen() }), None);
        assert_eq!(why(&Snapshot { phase: Phase::Counting, ..seen() }), None);
        assert_eq!(cut("settled at", 8), "settled…");
    }

    #[test]
    fn a_sparkline_rises_with_its_values() {
        assert_eq!(sparkline(&[0.0, 50.0, 100.0]), "▁▅█");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
    }
}
