//! Why a decision was taken, in words that can be matched on and printed.

use std::fmt;

use crate::Point;

/// Why a decision was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// The first setting.
    Start,
    /// Both settings are given.
    Pinned,
    /// Nothing is explored any more.
    Frozen,
    /// A leap to a setting that is good on many servers.
    Guess {
        /// Rows per second of the setting before.
        from: f64,
    },
    /// Twice as much of a coordinate, or of both, because it may be much faster.
    Doubling {
        /// Rows per second of the setting before.
        from: f64,
    },
    /// A neighbour is measured against what is kept.
    Try {
        /// Which way it lies.
        direction: Direction,
        /// What is kept.
        kept: Point,
        /// Rows per second of what is kept.
        rate: f64,
    },
    /// What is kept is measured again, beside the neighbour that is tried.
    Compare {
        /// Pairs of measurements so far.
        pairs: u32,
    },
    /// The neighbour was better: it is kept.
    Better {
        /// What was kept before.
        before: Point,
        /// By which share it was faster, over all pairs.
        gain: f64,
    },
    /// The neighbour was as fast and takes less: it is kept.
    Smaller {
        /// What was kept before.
        before: Point,
        /// By which share it was faster; can be a little below zero.
        gain: f64,
    },
    /// The neighbour was not worth it.
    Back {
        /// The neighbour.
        tried: Point,
        /// By which share it was faster; mostly below zero.
        gain: f64,
    },
    /// More of the trial would cost more than the neighbour may bring before the run ends.
    Ending {
        /// What was tried.
        tried: Point,
        /// Its gain so far in logarithms.
        gain: f64,
    },
    /// The server stood still from time to time: less in flight is tried for most of a minute.
    Long {
        /// What is kept.
        kept: Point,
        /// Rows per second over the minute before.
        rate: f64,
    },
    /// Back towards what was kept before the server refused it.
    WayBack {
        /// What was kept then.
        to: Point,
    },
    /// The server was busy.
    Busy,
    /// The server's own counters show refusals.
    Rejected,
    /// Batches take longer than the objective allows.
    Late,
    /// The server found the payload too large.
    TooLarge,
    /// Rows turned out to be larger than thought: the budget holds fewer.
    Budget,
    /// The speed has changed by this share: the surface is another.
    Changed {
        /// Below zero is slower.
        by: f64,
    },
    /// Nothing tried was better.
    Settled {
        /// Rows per second.
        rate: f64,
    },
    /// The reason of a controller that is not one of ours.
    Other(&'static str),
}

/// The way to a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Larger batches.
    MoreRows,
    /// More of them in flight.
    MoreInFlight,
    /// Smaller batches, more of them in flight: the same rows in flight.
    Split,
    /// Larger batches, fewer of them in flight: the same rows in flight.
    Join,
    /// Fewer in flight.
    LessInFlight,
    /// Smaller batches.
    LessRows,
    /// Much larger batches: over a notch.
    Leap,
    /// What is good on many servers, far from what is kept.
    Guess,
}

impl fmt::Display for Direction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Direction::MoreRows => "larger batches",
            Direction::MoreInFlight => "more in flight",
            Direction::Split => "smaller batches, more in flight",
            Direction::Join => "larger batches, fewer in flight",
            Direction::LessInFlight => "fewer in flight",
            Direction::LessRows => "smaller batches",
            Direction::Leap => "much larger batches",
            Direction::Guess => "what is good on many servers",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| share * 100.0;
        match *self {
            Reason::Start => out.write_str("start"),
            Reason::Pinned => out.write_str("pinned"),
            Reason::Frozen => out.write_str("frozen: exploring no more"),
            Reason::Guess { from } => {
                write!(out, "leaping from {from:.0} rows/s to what is good on many servers")
            }
            Reason::Doubling { from } => write!(out, "doubling from {from:.0} rows/s"),
            Reason::Try { direction, kept, rate } => {
                write!(out, "trying {direction} against {kept} at {rate:.0} rows/s")
            }
            Reason::Compare { pairs } => {
                write!(out, "comparing with what is kept, after {pairs} pairs")
            }
            Reason::Better { before, gain } => {
                write!(out, "{:+.1} % against {before}: kept", percent(gain))
            }
            Reason::Smaller { before, gain } => {
                write!(out, "as fast as {before} ({:+.1} %) and smaller: kept", percent(gain))
            }
            Reason::Back { tried, gain } => {
                write!(out, "back: {tried} gave {:+.1} %", percent(gain))
            }
            Reason::Ending { tried, gain } => {
                let gain = percent(gain);
                write!(
                    out,
                    "back: {tried} gave {gain:+.1} %, too little for what is left of the run"
                )
            }
            Reason::Long { kept, rate } => {
                write!(out, "{kept} stalls, {rate:.0} rows/s over a minute: trying less for longer")
            }
            Reason::WayBack { to } => write!(out, "trying the way back to {to}"),
            Reason::Busy => out.write_str("server busy: backing off"),
            Reason::Rejected => out.write_str("the server's counters show refusals: backing off"),
            Reason::Late => out.write_str("batches take too long: backing off"),
            Reason::TooLarge => out.write_str("payload too large: halving"),
            Reason::Budget => out.write_str("rows are larger than thought: the budget holds fewer"),
            Reason::Changed { by } => {
                write!(out, "speed changed by {:+.0} %: exploring again", percent(by))
            }
            Reason::Settled { rate } => write!(out, "settled at {rate:.0} rows/s"),
            Reason::Other(words) => out.write_str(words),
        }
    }
}
