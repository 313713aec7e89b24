//! MongoDB keeps what the suite promises, with changes in transactions, as a URL asks for that names a replica set.

mod reader;
mod subject;

use std::process::ExitCode;

use rowstorm_sink::conformance;

fn main() -> ExitCode {
    conformance::main::<subject::MongodbServer<true>>()
}
