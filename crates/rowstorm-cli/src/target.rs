//! Where to: `--to` or `ROWSTORM_TO`, with the user and password that only the environment holds.

use rowstorm::report::Shard;
use rowstorm::sink::BoxSink;
use rowstorm::{Credentials, Secret, Target, TargetError};

use crate::console;
use crate::exit::{Failure, Result};
use crate::secrets::{Secrets, holds_password};

/// Reads the target; opens nothing.
pub(crate) fn parse(flag: Option<&str>) -> Result<Target> {
    let from_environment = std::env::var("ROWSTORM_TO").ok().filter(|url| !url.is_empty());
    let Some(url) = flag.map(ToOwned::to_owned).or(from_environment) else {
        return Err(Failure::usage("no target: --to is missing").help(
            "for example --to sqlite:cpu.db, --to postgres://user@localhost/db, or ROWSTORM_TO",
        ));
    };
    let target = Target::parse(&url).map_err(|error| refused(&error))?;
    if flag.is_some_and(holds_password) {
        console::talk(
            "warning: a password on the command line can be read by others; use ROWSTORM_PASSWORD",
        );
    }
    Ok(target)
}

/// The sink, of one shard if there are several. No connection is opened before it is needed.
pub(crate) fn open(target: &Target, shard: Option<Shard>) -> Result<BoxSink> {
    let secrets = Secrets::from_environment()?;
    let credentials =
        Credentials { username: secrets.username, password: secrets.password.map(Secret::new) };
    let target = match shard {
        Some(shard) => target.clone().for_part(shard.index, shard.count),
        None => target.clone(),
    };
    target.open(&credentials).map_err(|error| Failure::usage(error.to_string()))
}

fn refused(error: &TargetError) -> Failure {
    Failure::usage(error.to_string())
}
