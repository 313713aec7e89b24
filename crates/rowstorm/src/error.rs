//! What can go wrong before the first row.

use rowstorm_gen::PlanError;
use rowstorm_run::RunError;
use rowstorm_schema::{Invalid, LoadError};
use rowstorm_sink::SinkError;

use crate::TargetError;

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document is wrong; every problem with its place.
    #[error(transparent)]
    Schema(#[from] Invalid),
    /// The document cannot be read, or is wrong.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The schema cannot be compiled.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The target's URL is wrong.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The target's driver does not take it.
    #[error(transparent)]
    Sink(SinkError),
    /// No target was given.
    #[error("the run goes nowhere: call `to` or `sink`")]
    NoTarget,
    /// The target did not let it begin.
    #[error(transparent)]
    Run(#[from] RunError),
}
