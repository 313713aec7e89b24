//! `compare`: what changed between two runs, and whether it is more than chance.

use rowstorm::report::{self, FailOn};

use super::report::read;
use crate::args::{CompareArgs, CompareFormat};
use crate::exit::{Exit, Failure, Result};
use crate::{console, summary};

pub(crate) fn compare(args: &CompareArgs) -> Result<Exit> {
    let limits = args.fail_on.iter().map(|text| {
        FailOn::parse(text).map_err(|error| Failure::usage(format!("--fail-on: {error}")))
    });
    let limits = limits.collect::<Result<Vec<_>>>()?;
    let compared = report::compare(&read(&args.base)?, &read(&args.new)?);
    console::data(&match args.format {
        CompareFormat::Term => compared.terminal(summary::style()),
        CompareFormat::Md => compared.markdown(),
    })?;
    let broken: Vec<String> = limits.iter().filter_map(|one| one.broken(&compared)).collect();
    for why in &broken {
        console::talk(&format!("error: {why}"));
    }
    Ok(if broken.is_empty() { Exit::Done } else { Exit::Regression })
}
