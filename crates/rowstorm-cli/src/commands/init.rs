//! `init`: a schema file to start from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::args::InitArgs;
use crate::exit::{Exit, Failure, Result};
use crate::{console, samples, tsperf};

pub(crate) fn init(args: &InitArgs) -> Result<Exit> {
    let text = match &args.from_tsperf {
        Some(path) => imported(path)?,
        None => samples::find(&args.name).unwrap_or_default().to_owned(),
    };
    match &args.output {
        Some(path) => {
            write(path, &text, args.force)?;
            console::talk(&format!("written  {}", path.display()));
            console::talk(&format!("next     rowstorm sample {}", path.display()));
        }
        None => console::data(&text)?,
    }
    Ok(Exit::Done)
}

fn imported(path: &Path) -> Result<String> {
    let json = std::fs::read_to_string(path)
        .map_err(|cause| Failure::io(format!("cannot read {}", path.display()), &cause))?;
    tsperf::import(&json).map_err(|failure| Failure {
        message: format!("{}: {}", path.display(), failure.message),
        ..failure
    })
}

/// A file that is there is somebody's work.
fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(true).create(true).create_new(!force);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|cause| {
        let failure = Failure::io(format!("cannot write {}", path.display()), &cause);
        if cause.kind() == ErrorKind::AlreadyExists {
            failure.help("--force writes over it")
        } else {
            failure
        }
    })
}
