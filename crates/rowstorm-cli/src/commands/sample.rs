//! `sample`: look at the rows, without a database.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use rowstorm::generate::{BATCH_ROWS_MAX, Batch};
use rowstorm::sink::{BoxSink, Encoder, Payload, Sink};
use rowstorm::{Plan, TablePlan, Target};

use crate::args::{SampleArgs, SampleFormat};
use crate::config::{self, Config};
use crate::document::Document;
use crate::exit::{Exit, Failure, Result};
use crate::flags::RunFlags;
use crate::settings::{Clock, plan_options};
use crate::{cells, console, target};

/// The longest cell in a table of rows.
const CELL_CHARS_MAX: usize = 40;

/// The shortest that a long cell is cut to: the day and the minute of a time can be read.
const CELL_CHARS_MIN: usize = 16;

/// Rows that stand side by side in a folded table, even where cells must be cut for it.
const ROWS_FOLDED: usize = 3;

/// Blanks around a cell.
const GAP: usize = 2;

/// Names that a table's header repeats before columns are folded into lines.
const COLUMNS_MAX: usize = 8;

pub(crate) fn sample(args: &SampleArgs) -> Result<Exit> {
    let document = Document::load(&args.file)?;
    let flags = RunFlags { seed: args.seed, epoch: args.epoch.clone(), ..RunFlags::default() };
    let settings = Config::of(&document, &flags, config::environment())?.settings;
    let plan = document.plan(plan_options(&document, &settings, Clock::start(&settings)?))?;
    let tables = chosen(&plan, args.table.as_deref())?;
    for (place, table) in tables.iter().enumerate() {
        if tables.len() > 1 {
            // A comment would break CSV and JSON Lines: the name is talk, not data.
            let gap = if place > 0 { "\n" } else { "" };
            console::talk(&format!("{gap}{}", table.name));
        }
        let rows =
            table.rows.map_or(args.rows, |rows| args.rows.min(rows.saturating_sub(args.offset)));
        match args.format {
            SampleFormat::Table => console::data(&as_table(table, args.offset, rows))?,
            SampleFormat::Csv => {
                console::data(&csv_header(table))?;
                stream(&sink("file:.?format=csv")?, table, args.offset, rows)?;
            }
            SampleFormat::Jsonl => stream(&sink("file:.?format=jsonl")?, table, args.offset, rows)?,
        }
    }
    Ok(Exit::Done)
}

fn chosen<'a>(plan: &'a Plan, name: Option<&str>) -> Result<Vec<&'a TablePlan>> {
    match name {
        None => Ok(plan.tables().iter().map(AsRef::as_ref).collect()),
        Some(name) => match plan.table(name) {
            Ok(table) => Ok(vec![table]),
            Err(error) => Err(Failure::usage(error.to_string())),
        },
    }
}

/// Rows side by side where the columns fit, else one value a line.
pub(crate) fn as_table(table: &TablePlan, from: u64, count: u64) -> String {
    let rows = cells::rows(table, from, count);
    let header: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
    let text =
        if header.len() > COLUMNS_MAX { folded(&header, &rows) } else { flat(&header, rows) };
    let lines = text.lines().map(str::trim_end).collect::<Vec<_>>();
    format!("{}\n", lines.join("\n"))
}

fn flat(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut printed = Table::new();
    printed.load_style(NOTHING).set_header(header);
    printed.set_content_arrangement(ContentArrangement::Disabled);
    for row in rows {
        printed.add_row(row.iter().map(|cell| shortened(cell, CELL_CHARS_MAX)));
    }
    printed.to_string()
}

/// One line a column, one column a row: what is wide becomes long.
fn folded(header: &[&str], rows: &[Vec<String>]) -> String {
    let names = header.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let room = console::width().saturating_sub(names + GAP);
    let cell = (room / rows.len().clamp(1, ROWS_FOLDED)).saturating_sub(GAP);
    let cell = cell.clamp(CELL_CHARS_MIN, CELL_CHARS_MAX);
    let shown = rows_that_fit(rows, cell, room);
    let mut printed = Table::new();
    printed.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for (column, name) in header.iter().enumerate() {
        let values = rows[..shown].iter().map(|row| shortened(&row[column], cell));
        printed.add_row(std::iter::once((*name).to_owned()).chain(values));
    }
    let text = printed.to_string();
    match rows.len() - shown {
        0 => text,
        more => format!("{text}\n … {more} more: widen the terminal, or --format jsonl"),
    }
}

fn rows_that_fit(rows: &[Vec<String>], cell: usize, room: usize) -> usize {
    let width = |row: &Vec<String>| row.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let mut left = room;
    let fitting = rows.iter().map(|row| width(row).min(cell) + GAP).take_while(|width| {
        let fits = *width <= left;
        left = left.saturating_sub(*width);
        fits
    });
    fitting.count().max(1).min(rows.len())
}

fn shortened(cell: &str, most: usize) -> String {
    if cell.chars().count() <= most {
        return cell.to_owned();
    }
    let start: String = cell.chars().take(most - 1).collect();
    format!("{start}…")
}

/// The very bytes that `generate` writes.
fn stream(sink: &BoxSink, table: &TablePlan, from: u64, count: u64) -> Result<()> {
    let mut encoder = Sink::encoder(sink, table);
    let (mut batch, mut payload) = (Batch::default(), Payload::default());
    let mut at = from;
    while at < from + count {
        let end = (at + BATCH_ROWS_MAX as u64).min(from + count);
        table.fill(at..end, &mut batch);
        payload.clear();
        encoder.begin(&mut payload);
        encoder.encode(&batch, &mut payload);
        encoder.end(&mut payload);
        console::data_bytes(payload.body.as_slice())?;
        at = end;
    }
    Ok(())
}

fn sink(url: &str) -> Result<BoxSink> {
    let target = Target::parse(url).map_err(|error| Failure::usage(error.to_string()))?;
    target::open(&target, None)
}

fn csv_header(table: &TablePlan) -> String {
    let quoted = |name: &str| {
        if name.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", name.replace('"', "\"\""))
        } else {
            name.to_owned()
        }
    };
    let names: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    format!("{}\n", names.join(","))
}
