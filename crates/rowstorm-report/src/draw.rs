//! Charts as SVG, by kuva. Colours are the page's CSS variables, so that the page decides on light, dark and paper.

use std::sync::Arc;

use kuva::TickFormat;
use kuva::backend::svg::SvgBackend;
use kuva::plot::{LinePlot, ScatterPlot};
use kuva::render::annotations::ReferenceLine;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::{Scene, render_multiple};
use kuva::render::theme::Theme;

use crate::chart::{Chart, Scale, Shape};
use crate::number::compact;

/// Marks that get their words; beyond, words would cover each other.
const LABELS_MAX: usize = 3;

/// Colours of lines, as the page names them.
const INKS: [&str; 6] = [
    "var(--line-1)",
    "var(--line-2)",
    "var(--line-3)",
    "var(--line-4)",
    "var(--line-5)",
    "var(--line-6)",
];

/// The size of a drawing, in the units of its own coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// The chart as an `svg` element that takes the width of its place, with a title for those who cannot see it.
pub(crate) fn svg(chart: &Chart, size: Size) -> String {
    let drawn = SvgBackend::new().render_scene(&scene(chart, size));
    // The opening tag of kuva has a fixed size and no name; ours has a view box and a role.
    let body = drawn.split_once('>').map_or("", |(_, body)| body);
    let Size { width, height } = size;
    // kuva numbers its clips through the life of the process; equal records give equal pages.
    let name: String = chart.title.chars().filter(char::is_ascii_alphabetic).collect();
    let body = renamed(body, "kuva-clip-", &format!("{name}-{width}"));
    let label = crate::html::escape(&format!("{}. {}", chart.title, chart.summary));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\" fill=\"var(--quiet)\">{body}"
    )
}

fn scene(chart: &Chart, size: Size) -> Scene {
    let mut plots = Vec::new();
    for (line, ink) in chart.lines.iter().zip(INKS.iter().cycle()) {
        let mut plot =
            LinePlot::new().with_data(line.points.clone()).with_color(*ink).with_stroke_width(1.75);
        match line.shape {
            Shape::Area => plot = plot.with_fill().with_fill_opacity(0.12),
            Shape::Steps => plot = plot.with_step().with_fill().with_fill_opacity(0.2),
            Shape::Points => {
                let dots = ScatterPlot::new().with_data(line.points.clone());
                plots.push(Plot::Scatter(dots.with_color(*ink).with_size(3.5)));
            }
        }
        plots.push(Plot::Line(plot));
    }
    render_multiple(plots, layout(chart, size)).with_background(None)
}

fn layout(chart: &Chart, size: Size) -> Layout {
    let xs = || chart.lines.iter().flat_map(|line| &line.points).map(|point| point.0);
    let top =
        chart.lines.iter().flat_map(|line| &line.points).map(|point| point.1).fold(0.0, f64::max);
    let (low, high) = (xs().fold(f64::INFINITY, f64::min), xs().fold(0.0, f64::max));
    // Points on the frame would be cut in half.
    let pointed = chart.lines.iter().any(|line| line.shape == Shape::Points);
    let (low, high) = if pointed { (low / 1.15, high * 1.15) } else { (low, high) };
    let from = match chart.x.scale {
        Scale::Linear => 0.0,
        Scale::Log => low,
    };
    let format = || TickFormat::Custom(Arc::new(compact));
    let mut layout = Layout::new((from, high), (0.0, top * 1.08))
        .with_width(size.width)
        .with_height(size.height)
        .with_theme(theme())
        .with_font_family("inherit")
        .with_label_size(12)
        .with_tick_size(11)
        .with_x_label(chart.x.label)
        .with_y_label(chart.y.label)
        .with_x_tick_format(format())
        .with_y_tick_format(format())
        .with_y_axis_min(0.0)
        .with_clamp_axis();
    if chart.x.scale == Scale::Linear {
        layout = layout.with_x_axis_max(high);
    }
    if chart.x.scale == Scale::Log {
        // Else the axis runs to the next powers of ten.
        layout = layout.with_log_x().with_x_axis_min(low).with_x_axis_max(high);
    }
    for (at, word) in &chart.marks {
        let mut mark = ReferenceLine::vertical(*at)
            .with_color("var(--mark)")
            .with_stroke_width(1.0)
            .with_dasharray("2 3");
        if chart.marks.len() <= LABELS_MAX && !word.is_empty() {
            mark = mark.with_label(word.clone());
        }
        layout = layout.with_reference_line(mark);
    }
    layout
}

fn theme() -> Theme {
    Theme {
        background: "none".into(),
        axis_color: "var(--rule)".into(),
        grid_color: "var(--grid)".into(),
        tick_color: "var(--rule)".into(),
        text_color: "var(--quiet)".into(),
        legend_bg: "none".into(),
        legend_border: "none".into(),
        ..Theme::light()
    }
}

/// Every number behind `prefix` gives way to `name`.
fn renamed(text: &str, prefix: &str, name: &str) -> String {
    let mut parts = text.split(prefix);
    let mut renamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        renamed.push_str(name);
        renamed.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    renamed
}
