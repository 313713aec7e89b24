//! CrateDB for tests and measurements: in a container, or one that runs elsewhere. No registry that a package manager of
//! this machine knows carries its server.

use super::{Native, Server, Standing};

/// CrateDB.
pub(crate) struct CrateDb;

impl Server for CrateDb {
    fn name(&self) -> &'static str {
        "cratedb"
    }

    fn variable(&self) -> &'static str {
        "ROWSTORM_TEST_CRATEDB"
    }

    fn adapter(&self) -> &'static str {
        "rowstorm-cratedb"
    }

    fn standing(&self) -> Standing {
        Standing::OnRequest
    }

    fn container_port(&self) -> Option<u16> {
        Some(4200)
    }

    fn native(&self) -> Option<&dyn Native> {
        None
    }

    fn url(&self, port: u16, _password: &str) -> String {
        format!("crate://127.0.0.1:{port}")
    }
}
