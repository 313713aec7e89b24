//! What a database said of one payload.

/// The most refusals of one outcome, and samples kept of one run: enough to see what is wrong.
pub const REFUSALS_MAX: usize = 10;

/// Every row of a payload, in one of three places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows that the database took.
    pub accepted: u64,
    /// Rows of a replayed payload that stood there already with this very content: the first attempt had arrived.
    pub confirmed: u64,
    /// Rows that the database refused.
    pub rejected: Rejected,
}

/// Rows that were refused, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// How many.
    pub count: u64,
    /// Why, by class, at most [`REFUSALS_MAX`]; counts of further classes are only in `count`.
    pub refusals: Vec<Refusal>,
}

/// One class of refusals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The database's own code and name: "23505 unique_violation".
    pub class: String,
    /// How many rows.
    pub count: u64,
    /// One message, as the database gave it. Never a password.
    pub sample: String,
}

impl Outcome {
    /// All rows were taken.
    pub fn accepted(rows: u64) -> Outcome {
        Outcome { accepted: rows, ..Outcome::default() }
    }

    /// All rows were refused for one reason.
    ///
    /// ```
    /// let outcome = rowstorm_sink::Outcome::refused(10, "53100 disk_full", "no space left on device");
    /// assert_eq!((outcome.rows(), outcome.rejected.count), (10, 10));
    /// ```
    pub fn refused(rows: u64, class: impl Into<String>, sample: impl Into<String>) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.rejected.add(class, rows, sample);
        outcome
    }

    /// The rows that are accounted for.
    pub fn rows(&self) -> u64 {
        self.accepted + self.confirmed + self.rejected.count
    }
}

impl Rejected {
    /// Adds refused rows of one class; keeps the first sample of a class, and [`REFUSALS_MAX`] classes.
    pub fn add(&mut self, class: impl Into<String>, count: u64, sample: impl Into<String>) {
        if count == 0 {
            return;
        }
        self.count += count;
        let class = class.into();
        if let Some(known) = self.refusals.iter_mut().find(|known| known.class == class) {
            known.count += count;
        } else if self.refusals.len() < REFUSALS_MAX {
            self.refusals.push(Refusal { class, count, sample: sample.into() });
        }
    }
}
