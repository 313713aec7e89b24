//! Charts: one definition, drawn as SVG for a page and in characters for a terminal.
//!
//! A chart is plain data, so that it can be compared, tested and drawn by whatever draws best where it is shown.

use crate::number;
use crate::record::{Batching, RunRecord, Second};
use crate::steps::{Step, longest, steps};

/// Decisions that are marked in a chart; more would hide the line.
const MARKS_MAX: usize = 40;

/// Marks stand at least this share of the axis apart.
const MARKS_APART: f64 = 0.01;

/// Words of marks that stand closer would cover each other.
const WORDS_APART: f64 = 0.15;

/// Settings that are drawn, and lines that they may be on: as many as there are colours.
const SETTINGS_MAX: usize = 24;
const LINES_MAX: usize = 6;

/// Points of a line: more than a screen has columns show nothing more.
const POINTS_MAX: usize = 400;

/// The axis of time.
const SECONDS: &str = "seconds";

/// Bins of the latency histogram, of equal width on the logarithmic axis.
const BINS: usize = 28;

/// Lines over an axis, with marks.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What is drawn, in words.
    pub title: &'static str,
    /// What it says, for those who cannot see it.
    pub summary: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Places on the horizontal axis, with a word or two if there is room.
    pub marks: Vec<(f64, String)>,
}

/// An axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Its name with its unit.
    pub label: &'static str,
    /// Its steps.
    pub scale: Scale,
}

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// In equal steps.
    Linear,
    /// In equal ratios.
    Log,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its name; empty where there is only one.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub shape: Shape,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A line with the area below it.
    Area,
    /// Steps with the area below them: a histogram.
    Steps,
    /// Points joined by a line.
    Points,
}

impl Chart {
    /// Whether its marks are decisions, rather than percentiles.
    pub(crate) fn decides(&self) -> bool {
        self.x.label == SECONDS && !self.marks.is_empty()
    }
}

/// Every chart that this record has data for.
pub fn charts(record: &RunRecord) -> Vec<Chart> {
    let all = [throughput(record), by_batch(record), changes(record), latency(record)];
    all.into_iter().flatten().collect()
}

/// Rows per second over time, decisions marked; `None` for runs of under two seconds.
pub fn throughput(record: &RunRecord) -> Option<Chart> {
    if record.rows.planned == 0 && record.changes.is_some() {
        return None;
    }
    let chart = over_time(&record.series, "Rows per second", "rows/s")?;
    let until = record.series.last().map_or(0.0, |second| second.at_s);
    Some(Chart { marks: marks(&record.batch, until), ..chart })
}

/// Rows changed and read per second over time, decisions marked; `None` for runs of under two seconds.
pub fn changes(record: &RunRecord) -> Option<Chart> {
    let changes = record.changes.as_ref()?;
    let chart = over_time(&changes.series, "Changes and reads per second", "rows/s")?;
    let until = changes.series.last().map_or(0.0, |second| second.at_s);
    let marks = changes.tuning.as_ref().map_or(Vec::new(), |tuning| marks(tuning, until));
    Some(Chart { marks, ..chart })
}

fn over_time(series: &[Second], title: &'static str, unit: &'static str) -> Option<Chart> {
    let mut points = Vec::new();
    let mut from = 0.0;
    for second in series {
        let span = second.at_s - from;
        // What is left over at the end is too short to be a rate.
        if span >= 0.3 {
            points.push((from + span / 2.0, second.rows as f64 / span));
        }
        from = second.at_s;
    }
    if points.len() < 2 {
        return None;
    }
    let points = thinned(&points);
    let rates = || points.iter().map(|point| point.1);
    let summary = format!(
        "{title} over {}: between {} and {}.",
        number::seconds(from),
        number::rate(rates().fold(f64::INFINITY, f64::min)),
        number::rate(rates().fold(0.0, f64::max)),
    );
    Some(Chart {
        title,
        summary,
        x: Axis { label: SECONDS, scale: Scale::Linear },
        y: Axis { label: unit, scale: Scale::Linear },
        lines: vec![Line { name: String::new(), points, shape: Shape::Area }],
        marks: Vec::new(),
    })
}

/// Where the setting that is kept has changed: measurements of trials, and neighbours that were no better, would hide the
/// line that they are about.
fn marks(batch: &Batching, until: f64) -> Vec<(f64, String)> {
    let mut marks: Vec<(f64, String)> = Vec::new();
    let mut before = None;
    for decision in batch.decisions.iter().filter(|one| !one.measures()) {
        let setting = (decision.batch_rows, decision.in_flight);
        let changed = before.replace(setting).is_some_and(|before| before != setting);
        let apart = marks.last().is_none_or(|mark| decision.at_s - mark.0 >= MARKS_APART * until);
        if changed && apart && decision.at_s <= until {
            let close =
                marks.last().is_some_and(|mark| decision.at_s - mark.0 < WORDS_APART * until);
            let word = format!("{}×{}", setting.0, setting.1);
            marks.push((decision.at_s, if close { String::new() } else { word }));
        }
    }
    let every = marks.len().div_ceil(MARKS_MAX).max(1);
    marks.into_iter().step_by(every).collect()
}

/// Rows per second by rows per batch, a line for each number in flight; `None` unless several settings were tried.
pub fn by_batch(record: &RunRecord) -> Option<Chart> {
    let tried = steps(record);
    if tried.len() < 2 {
        return None;
    }
    let count = tried.len();
    let steps = longest(tried, SETTINGS_MAX);
    let best = steps.iter().max_by(|a, b| a.rows_per_second().total_cmp(&b.rows_per_second()))?;
    let in_flight = widths(&steps);
    let lines = in_flight.iter().map(|width| Line {
        name: format!("{width} in flight"),
        points: steps
            .iter()
            .filter(|step| step.in_flight == *width)
            .map(|step| (f64::from(step.batch_rows), step.rows_per_second()))
            .collect(),
        shape: Shape::Points,
    });
    Some(Chart {
        title: "Rows per second by batch size",
        summary: format!(
            "Of {} settings the fastest was {} rows a batch with {} in flight: {} rows per second.",
            count,
            number::grouped(u64::from(best.batch_rows)),
            best.in_flight,
            number::rate(best.rows_per_second())
        ),
        x: Axis { label: "rows per batch", scale: Scale::Log },
        y: Axis { label: "rows/s", scale: Scale::Linear },
        lines: lines.collect(),
        marks: Vec::new(),
    })
}

/// Batches in flight that were tried; of more than there are colours, those that held longest.
fn widths(steps: &[Step]) -> Vec<u32> {
    let mut held: Vec<(u32, f64)> = Vec::new();
    for step in steps {
        match held.iter_mut().find(|(width, _)| *width == step.in_flight) {
            Some((_, seconds)) => *seconds += step.seconds,
            None => held.push((step.in_flight, step.seconds)),
        }
    }
    held.sort_by(|a, b| b.1.total_cmp(&a.1));
    held.truncate(LINES_MAX);
    held.sort_unstable_by_key(|(width, _)| *width);
    held.into_iter().map(|(width, _)| width).collect()
}

/// How many batches took how long, percentiles marked; `None` without a histogram.
pub fn latency(record: &RunRecord) -> Option<Chart> {
    let latency = &record.latency_ms;
    let points = bins(&latency.histogram)?;
    Some(Chart {
        title: "Batches by latency",
        summary: format!(
            "{} batches: half took under {}, 99 % under {}, the slowest {}.",
            number::grouped(latency.count()),
            number::milliseconds(latency.p50),
            number::milliseconds(latency.p99),
            number::milliseconds(latency.max)
        ),
        x: Axis { label: "milliseconds", scale: Scale::Log },
        y: Axis { label: "batches", scale: Scale::Linear },
        lines: vec![Line { name: String::new(), points, shape: Shape::Steps }],
        marks: vec![(latency.p50, "p50".to_owned()), (latency.p99, "p99".to_owned())],
    })
}

/// The left edge and the count of each bin, and the right edge of the last; at most [`BINS`]. A histogram names upper
/// bounds only: a bin is as wide, in ratio, as its closest bounds are apart, or wider.
fn bins(histogram: &[(f64, u64)]) -> Option<Vec<(f64, f64)>> {
    let full = histogram.iter().filter(|pair| pair.1 > 0 && pair.0 > 0.0 && pair.0.is_finite());
    let bounds: Vec<(f64, f64)> = full.map(|pair| (pair.0, pair.1 as f64)).collect();
    let (first, last) = (bounds.first()?.0, bounds.last()?.0);
    let closest = bounds.windows(2).map(|pair| pair[1].0 / pair[0].0).fold(1.3, f64::min);
    let width = closest.max((last / first).powf(1.0 / (BINS - 1) as f64)).max(1.01).ln();
    let place = |bound: f64| ((bound / first).ln() / width).round() as usize;
    let mut counts = vec![0.0; place(last) + 1];
    for (bound, count) in &bounds {
        counts[place(*bound)] += count;
    }
    let edge = |bin: usize| first * (width * (bin as f64 - 1.0)).exp();
    let right = (edge(counts.len()), 0.0);
    Some(
        counts
            .into_iter()
            .enumerate()
            .map(|(bin, count)| (edge(bin), count))
            .chain([right])
            .collect(),
    )
}

/// Neighbours averaged, so that at most [`POINTS_MAX`] are left.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let group = points.len().div_ceil(POINTS_MAX).max(1);
    points
        .chunks(group)
        .map(|chunk| {
            let count = chunk.len() as f64;
            let sum =
                chunk.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
            (sum.0 / count, sum.1 / count)
        })
        .collect()
}
