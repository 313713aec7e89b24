//! `config show`: the settings that a run would have, and where each comes from.

use crate::args::ConfigShowArgs;
use crate::config::{self, Config};
use crate::console;
use crate::document::Document;
use crate::exit::{Exit, Result};

pub(crate) fn show(args: &ConfigShowArgs) -> Result<Exit> {
    let document = Document::load(&args.file)?;
    let shown = Config::of(&document, &args.flags, config::environment())?.shown();
    let key_width = shown.iter().map(|setting| setting.key.len()).max().unwrap_or(0);
    let value_width = shown.iter().map(|setting| setting.value.len()).max().unwrap_or(0).min(40);
    for setting in &shown {
        let (key, value) = (&setting.key, &setting.value);
        let line = if args.origin {
            format!("{key:key_width$}  {value:value_width$}  {}\n", setting.origin)
        } else {
            format!("{key:key_width$}  {value}\n")
        };
        console::data(&line)?;
    }
    Ok(Exit::Done)
}
