//! Charts in characters: braille columns where the terminal shows them, `#` where not, bars for a handful of settings.
//!
//! Drawn here and not by kuva: its terminal backend always writes 24-bit colours and knows no plain ASCII, and a log
//! file or a `dumb` terminal must stay readable.

use crate::chart::{Chart, Line, Scale, Shape};
use crate::number::{compact, grouped};
use crate::style::{Ink, Style};

/// Bars of a chart: the longest ones.
const BARS_MAX: usize = 12;

/// Room for the numbers of the vertical axis.
const MARGIN: usize = 7;

/// The chart as text of at most the style's width, `rows` lines high where its kind has a height. Ends with a line
/// break.
pub fn draw(chart: &Chart, rows: usize, style: Style) -> String {
    let title = style.paint(Ink::Heading, chart.title);
    let bars = chart.lines.iter().all(|line| line.shape == Shape::Points);
    let body = if bars { bars_of(chart, style) } else { columns_of(chart, rows.max(2), style) };
    format!("{title}\n{body}")
}

/// A bar for each point, named by its setting.
fn bars_of(chart: &Chart, style: Style) -> String {
    let points = chart.lines.iter().flat_map(|line| {
        line.points.iter().map(|(x, y)| (format!("{} x {}", grouped(*x as u64), line.name), *y))
    });
    let mut bars: Vec<(String, f64)> = points.collect();
    if bars.len() > BARS_MAX {
        // The slow ones are of the least interest.
        let mut rates: Vec<f64> = bars.iter().map(|bar| bar.1).collect();
        rates.sort_by(|a, b| b.total_cmp(a));
        bars.retain(|bar| bar.1 >= rates[BARS_MAX - 1]);
    }
    let top = bars.iter().map(|bar| bar.1).fold(f64::MIN_POSITIVE, f64::max);
    let names = bars.iter().map(|bar| bar.0.chars().count()).max().unwrap_or_default();
    let room = style.width.saturating_sub(names + MARGIN + 6).clamp(5, 60);
    let mut text = String::new();
    for (name, value) in bars {
        let length = ((value / top * room as f64).round() as usize).max(1);
        let bar = style.sign("▇", "#").repeat(length);
        text.push_str(&format!("  {name:>names$}  {:>MARGIN$}  {bar}\n", compact(value)));
    }
    text
}

/// Columns up to the line, with an axis of three numbers and the marks below.
fn columns_of(chart: &Chart, rows: usize, style: Style) -> String {
    let Some(line) = chart.lines.first() else { return String::new() };
    let columns = style.width.saturating_sub(MARGIN + 3).clamp(10, 120);
    let (dots, levels) = if style.unicode { (columns * 2, rows * 4) } else { (columns, rows) };
    let top = line.points.iter().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max);
    let heights: Vec<usize> = sampled(chart, line, dots)
        .iter()
        .map(|value| (value / top * levels as f64).round() as usize)
        .collect();
    let mut text = String::new();
    for row in 0..rows {
        let label = if row == 0 {
            compact(top)
        } else if row == rows - 1 {
            "0".to_owned()
        } else if row == rows / 2 {
            compact(top * (rows - row) as f64 / rows as f64)
        } else {
            String::new()
        };
        let floor = (rows - 1 - row) * (levels / rows);
        let cells: String = if style.unicode {
            heights.chunks(2).map(|pair| braille(pair, floor)).collect()
        } else {
            heights.iter().map(|height| if *height > floor { '#' } else { ' ' }).collect()
        };
        let wall = style.sign("┤", "|");
        text.push_str(&format!("{label:>MARGIN$} {wall}{}\n", cells.trim_end()));
    }
    let marks = marks_of(chart, columns, style);
    let (low, high) = range(chart);
    let (low, high) = (compact(low), format!("{} {}", compact(high), chart.x.label));
    let gap = columns.saturating_sub(low.len() + high.len());
    let pad = " ".repeat(MARGIN + 2);
    text.push_str(&format!("{marks}{pad}{low}{}{high}\n", " ".repeat(gap)));
    text
}

/// A line of marks under the columns, if there are any.
fn marks_of(chart: &Chart, columns: usize, style: Style) -> String {
    if chart.marks.is_empty() {
        return String::new();
    }
    let mut cells = vec![' '; columns];
    let sign = if style.unicode { '▲' } else { '^' };
    for (at, _) in &chart.marks {
        let cell = (position(chart, *at) * columns as f64) as usize;
        cells[cell.min(columns - 1)] = sign;
    }
    let line: String = cells.into_iter().collect();
    let pad = " ".repeat(MARGIN + 2);
    let what = if chart.decides() {
        "the setting changed".to_owned()
    } else {
        chart.marks.iter().map(|mark| mark.1.as_str()).collect::<Vec<_>>().join(", ")
    };
    format!("{pad}{}\n{pad}{sign} {what}\n", style.paint(Ink::Open, line.trim_end()))
}

/// The line's height at each of `dots` places; zero outside of it.
fn sampled(chart: &Chart, line: &Line, dots: usize) -> Vec<f64> {
    let places: Vec<(f64, f64)> =
        line.points.iter().map(|(x, y)| (position(chart, *x) * dots as f64, *y)).collect();
    let height = |at: f64| {
        let right = places.partition_point(|place| place.0 <= at);
        match (right.checked_sub(1).map(|left| places[left]), places.get(right)) {
            (Some(left), Some(right)) if line.shape == Shape::Area => {
                left.1 + (right.1 - left.1) * (at - left.0) / (right.0 - left.0)
            }
            (Some(left), Some(_)) => left.1,
            // Rates stand in the middle of their second: the halves outside are theirs too.
            (Some(edge), None) | (None, Some(&edge)) if line.shape == Shape::Area => edge.1,
            _ => 0.0,
        }
    };
    (0..dots).map(|dot| height(dot as f64 + 0.5)).collect()
}

/// Where a value stands on the horizontal axis, 0 to 1.
fn position(chart: &Chart, x: f64) -> f64 {
    let (low, high) = range(chart);
    let share = match chart.x.scale {
        Scale::Linear => (x - low) / (high - low),
        Scale::Log => (x.ln() - low.ln()) / (high.ln() - low.ln()),
    };
    share.clamp(0.0, 1.0)
}

fn range(chart: &Chart) -> (f64, f64) {
    let xs = || chart.lines.iter().flat_map(|line| &line.points).map(|point| point.0);
    let high = xs().fold(0.0, f64::max);
    match chart.x.scale {
        Scale::Linear => (0.0, high),
        Scale::Log => (xs().fold(f64::INFINITY, f64::min), high),
    }
}

/// Two columns of four dots, filled up to their heights above `floor`.
fn braille(pair: &[usize], floor: usize) -> char {
    // Dots from below, left and right column (Unicode's braille patterns number them 7 3 2 1 and 8 6 5 4).
    const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
    let mut bits = 0;
    for (height, dots) in pair.iter().zip(DOTS) {
        bits |= dots.iter().take(height.saturating_sub(floor).min(4)).sum::<u32>();
    }
    if bits == 0 { ' ' } else { char::from_u32(0x2800 + bits).unwrap_or(' ') }
}
