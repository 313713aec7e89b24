//! The row walker: columns to rows of a wire.
