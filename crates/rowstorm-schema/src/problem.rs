//! What is wrong with a document: every problem with its place, and what would be right.

use std::fmt;

/// The most problems that one document reports.
pub const PROBLEMS_MAX: usize = 100;

/// Everything that is wrong with a document, in the order of its lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Invalid(pub Vec<Problem>);

/// One thing that is wrong.
///
/// It prints itself on two or three lines, as compilers do:
///
/// ```
/// use rowstorm_schema::{Format, Schema};
///
/// let yaml = "version: 1\ntables:\n  t:\n    columns:\n      a: { type: int, gen: sequense }\n";
/// let invalid = Schema::parse(yaml, Format::Yaml, "t.yaml").unwrap_err();
/// assert_eq!(
///     invalid.0[0].to_string(),
///     "error: unknown generator `sequense`\n  --> t.yaml:5:28 (tables.t.columns.a.gen)\n  help: did you mean `sequence`?"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The document's name, as it was given.
    pub file: String,
    /// The line, from 1; 0 where a schema was built in code and has no text.
    pub line: usize,
    /// The column in characters, from 1; 0 where a schema has no text.
    pub column: usize,
    /// Where in the document: `tables.cpu.columns.host.gen`; empty for the document itself.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "error: {}", self.message)?;
        match (self.line, self.place.as_str()) {
            (0, "") => {}
            (0, place) => write!(out, "\n  --> {place}")?,
            (line, "") => write!(out, "\n  --> {}:{line}:{}", self.file, self.column)?,
            (line, place) => write!(out, "\n  --> {}:{line}:{} ({place})", self.file, self.column)?,
        }
        match &self.help {
            Some(help) => write!(out, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(out, "{problem}\n\n"))?;
        match self.0.len() {
            1 => out.write_str("1 problem"),
            PROBLEMS_MAX.. => write!(out, "{PROBLEMS_MAX} problems or more"),
            count => write!(out, "{count} problems"),
        }
    }
}
