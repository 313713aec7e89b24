//! `merge`: the records of all shards of one run, as one record.

use super::report::read;
use crate::args::MergeArgs;
use crate::console;
use crate::exit::{Exit, Failure, Result};

pub(crate) fn merge(args: &MergeArgs) -> Result<Exit> {
    let records = args.records.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let merged =
        rowstorm::report::merge(&records).map_err(|error| Failure::usage(error.to_string()))?;
    match &args.output {
        Some(path) => {
            merged.write(path).map_err(|error| Failure::usage(error.to_string()))?;
            console::talk(&format!("written  {}", path.display()));
        }
        None => console::data(&merged.to_json())?,
    }
    Ok(Exit::Done)
}
