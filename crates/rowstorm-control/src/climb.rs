//! The first `auto`.

/// Climbs.
#[derive(Debug)]
pub struct Climb;
/// Options.
#[derive(Debug)]
pub struct ClimbOptions;
