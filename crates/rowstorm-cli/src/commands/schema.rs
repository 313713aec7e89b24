//! `schema`: the JSON Schemas that editors and readers of records use.

use crate::args::{SchemaArgs, SchemaKind};
use crate::console;
use crate::exit::{Exit, Failure, Result};

pub(crate) fn schema(args: &SchemaArgs) -> Result<Exit> {
    match args.kind {
        SchemaKind::File => {
            let text = serde_json::to_string_pretty(&rowstorm::schema::json_schema())
                .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
            console::data(&format!("{text}\n"))?;
        }
        SchemaKind::Record => console::data(&rowstorm::report::json_schema())?,
    }
    Ok(Exit::Done)
}
