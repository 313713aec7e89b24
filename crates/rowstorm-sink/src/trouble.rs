//! A driver's error, read: what it means for the rows of a payload.

use crate::{Outcome, SinkError, SinkErrorKind};

/// An error, read: what can be done about it. Its message holds all that the driver's error says, so that one is not
/// kept: a report that prints causes would say everything twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What can be done.
    pub reaction: Reaction,
    /// The database's own code and its name: "23505 unique_violation".
    pub class: String,
    /// What happened, in the database's words. Never a password.
    pub message: String,
}

/// What can be done about a [`Trouble`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Some rows are at fault: find out which.
    Sift,
    /// The database refuses all rows, whatever they hold.
    Refuse,
    /// As the runner's four reactions.
    Fail(SinkErrorKind),
}

impl Trouble {
    /// What becomes of a payload none of whose rows were written, and will not be: refused as a whole and counted.
    ///
    /// # Errors
    /// Itself, for [`Reaction::Fail`].
    pub fn refuse(self, rows: u64) -> Result<Outcome, Trouble> {
        match self.reaction {
            Reaction::Sift | Reaction::Refuse => {
                Ok(Outcome::refused(rows, self.class, self.message))
            }
            Reaction::Fail(_) => Err(self),
        }
    }

    /// [`Trouble::refuse`], or an error for the runner.
    ///
    /// # Errors
    /// As [`Trouble::into_error`] for [`Reaction::Fail`].
    pub fn for_all(self, rows: u64, database: &str) -> Result<Outcome, SinkError> {
        self.refuse(rows).map_err(|trouble| trouble.into_error(database, ""))
    }

    /// As the runner wants it; a refusal of all rows, or of some, is fatal where there are no rows. `hint` says what
    /// would help.
    pub fn into_error(self, database: &str, hint: &str) -> SinkError {
        let kind = match self.reaction {
            Reaction::Fail(kind) => kind,
            Reaction::Sift | Reaction::Refuse => SinkErrorKind::Fatal,
        };
        SinkError::new(kind, self.class, format!("{database}: {}{hint}", self.message))
    }
}

/// A code with its name, out of a list of both: `CODE name  CODE name`.
///
/// ```
/// const CONDITIONS: &str = "23505 unique_violation  40P01 deadlock_detected";
/// assert_eq!(rowstorm_sink::named("40P01", CONDITIONS), "40P01 deadlock_detected");
/// assert_eq!(rowstorm_sink::named("99999", CONDITIONS), "99999");
/// ```
pub fn named(code: &str, conditions: &str) -> String {
    let mut words = conditions.split_whitespace();
    match words.by_ref().find(|word| *word == code).and_then(|_| words.next()) {
        Some(name) => format!("{code} {name}"),
        None => code.to_owned(),
    }
}
