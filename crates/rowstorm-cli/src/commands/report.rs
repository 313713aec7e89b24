//! `report`: what a run record says, for people and for other programs.

use std::io::{IsTerminal, Read};
use std::path::Path;

use rowstorm::RunRecord;

use crate::args::{ReportArgs, ReportFormat};
use crate::exit::{Exit, Failure, Result};
use crate::{console, summary};

pub(crate) fn report(args: &ReportArgs) -> Result<Exit> {
    let records = args.records.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let format = args.format.unwrap_or_else(|| by_ending(args.output.as_deref()));
    let text = match format {
        ReportFormat::Html => page(&records)?,
        ReportFormat::Term => each(&records, |record| {
            format!("{}\n{}", summary::text(record, &[], &[]), summary::charts(record, usize::MAX))
        }),
        ReportFormat::Md => each(&records, |record| rowstorm::report::markdown(record, &[])),
        ReportFormat::Json => each(&records, RunRecord::to_json),
    };
    match &args.output {
        Some(path) => {
            std::fs::write(path, text)
                .map_err(|cause| Failure::io(format!("cannot write {}", path.display()), &cause))?;
            console::talk(&format!("written  {}", path.display()));
        }
        None => console::data(&text)?,
    }
    Ok(Exit::Done)
}

/// A record; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<RunRecord> {
    let record = if path == Path::new("-") {
        let mut text = String::new();
        if std::io::stdin().is_terminal() {
            console::talk("reading a record from the terminal");
        }
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|cause| Failure::io("cannot read standard input", &cause))?;
        RunRecord::from_json("standard input", &text)
    } else {
        RunRecord::read(path)
    };
    record.map_err(|error| Failure::usage(error.to_string()))
}

fn page(records: &[RunRecord]) -> Result<String> {
    match records {
        [record] => Ok(rowstorm::report::html(record, &[])),
        several => {
            Err(Failure::usage(format!("a page is of one record, not of {}", several.len())))
        }
    }
}

fn each(records: &[RunRecord], text: impl Fn(&RunRecord) -> String) -> String {
    records.iter().map(text).collect::<Vec<_>>().join("\n")
}

fn by_ending(output: Option<&Path>) -> ReportFormat {
    let ending = output.and_then(Path::extension).and_then(|ending| ending.to_str());
    match ending {
        Some("html" | "htm") => ReportFormat::Html,
        Some("md") => ReportFormat::Md,
        Some("json") => ReportFormat::Json,
        Some(_) | None => ReportFormat::Term,
    }
}
