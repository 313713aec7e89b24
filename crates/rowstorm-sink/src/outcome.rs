//! What a database said of one payload.

use crate::SinkError;

/// The most refusals of one outcome, and samples kept of one run: enough to see what is wrong.
pub const REFUSALS_MAX: usize = 10;

/// The longest sample that is kept, in characters: messages quote whole rows.
pub const SAMPLE_CHARS_MAX: usize = 400;

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

    /// What a database says that counts the rows it took: those that are missing were left out without a word.
    ///
    /// ```
    /// let outcome = rowstorm_sink::Outcome::counted(9, 10)?;
    /// assert_eq!((outcome.accepted, outcome.rejected.count), (9, 1));
    /// # Ok::<(), rowstorm_sink::SinkError>(())
    /// ```
    ///
    /// # Errors
    /// Fatal, if it took more than were sent.
    pub fn counted(taken: u64, rows: u64) -> Result<Outcome, SinkError> {
        let Some(missing) = rows.checked_sub(taken) else {
            let message =
                format!("the server took {taken} rows of {rows}: the payload and its count differ");
            return Err(SinkError::fatal("count", message));
        };
        let mut outcome = Outcome::accepted(taken);
        outcome.rejected.add_suppressed(missing);
        Ok(outcome)
    }

    /// Books rejected rows of a replay as confirmed: so many rows of it stand there with this very content, those
    /// included that were accepted just now. Refusals that `likely` names lose rows first: a repeated key, nearly always.
    ///
    /// ```
    /// let mut outcome = rowstorm_sink::Outcome::accepted(3);
    /// outcome.rejected.add("23514 check_violation", 2, "check");
    /// outcome.rejected.add("23505 unique_violation", 5, "key");
    /// outcome.confirm(7, |class| class.starts_with("23505"));
    /// assert_eq!((outcome.accepted, outcome.confirmed, outcome.rejected.count), (3, 4, 3));
    /// assert_eq!(outcome.rejected.refusals[0].count, 1);
    /// ```
    pub fn confirm(&mut self, standing: u64, likely: impl Fn(&str) -> bool) {
        let confirmed = standing.saturating_sub(self.accepted).min(self.rejected.count);
        self.confirmed += confirmed;
        let Rejected { count, refusals } = &mut self.rejected;
        *count -= confirmed;
        refusals.sort_by_key(|refusal| !likely(&refusal.class));
        let mut left = confirmed;
        for refusal in refusals.iter_mut() {
            let taken = refusal.count.min(left);
            refusal.count -= taken;
            left -= taken;
        }
        refusals.retain(|refusal| refusal.count > 0);
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
            self.refusals.push(Refusal { class, count, sample: cut(sample.into()) });
        }
    }

    /// Adds rows that the database left out without an error: a trigger, a rule or a view does that.
    pub fn add_suppressed(&mut self, count: u64) {
        self.add(
            "suppressed",
            count,
            "a trigger or rule of the table left rows out without an error",
        );
    }
}

/// A message without what goes beyond [`SAMPLE_CHARS_MAX`].
pub fn cut(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(SAMPLE_CHARS_MAX) {
        message.truncate(end);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confirming_takes_likely_refusals_first_and_loses_no_row() {
        let mut outcome = Outcome::accepted(3);
        outcome.rejected.add("23514 check_violation", 2, "check");
        outcome.rejected.add("23505 unique_violation", 5, "key");
        outcome.confirm(7, |class| class.starts_with("23505"));
        assert_eq!((outcome.accepted, outcome.confirmed, outcome.rejected.count), (3, 4, 3));
        let left: Vec<_> = outcome.rejected.refusals.iter().map(|refusal| refusal.count).collect();
        assert_eq!(left, [1, 2]);
        assert_eq!(outcome.rows(), 10);
        outcome.confirm(99, |_| true);
        assert_eq!((outcome.rows(), outcome.rejected), (10, Rejected::default()));
    }

    #[test]
    fn rows_that_are_missing_are_suppressed_and_surplus_ones_are_an_error() {
        assert_eq!(Outcome::counted(10, 10).unwrap(), Outcome::accepted(10));
        let outcome = Outcome::counted(7, 10).unwrap();
        assert_eq!(outcome.rejected.refusals[0].class, "suppressed");
        assert_eq!((outcome.rows(), outcome.rejected.count), (10, 3));
        assert_eq!(Outcome::counted(11, 10).unwrap_err().class, "count");
    }

    #[test]
    fn samples_are_cut_between_characters() {
        let mut rejected = Rejected::default();
        rejected.add("long", 1, "ö".repeat(SAMPLE_CHARS_MAX + 1));
        rejected.add("short", 1, "ö");
        assert_eq!(rejected.refusals[0].sample, "ö".repeat(SAMPLE_CHARS_MAX));
        assert_eq!(rejected.refusals[1].sample, "ö");
    }
}
