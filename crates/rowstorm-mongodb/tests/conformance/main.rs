//! MongoDB keeps what the suite promises.

mod reader;
mod subject;

use std::process::ExitCode;

use rowstorm_sink::conformance;

fn main() -> ExitCode {
    conformance::main::<subject::MongodbServer<false>>()
}
