//! Templates: text with the row's other columns in it. Parsed here, so that checking and generating agree.

use std::fmt;
use std::str::FromStr;

/// A parsed template: `"host_{series}"`, `"{first_name}.{id}@example.org"`.
///
/// `{name}` is another column of the row, `{0..99}` draws a number (both ends included), `{row}` is the row's number
/// from 0, `{series}` the entity's from 0; `{{` and `}}` are braces. It prints itself in the same words.
///
/// ```
/// use rowstorm_schema::{Template, TemplatePart};
///
/// let template: Template = "rack {0..98}".parse()?;
/// assert_eq!(template.parts, [
///     TemplatePart::Text("rack ".into()),
///     TemplatePart::Range { low: 0, high: 98 },
/// ]);
/// # Ok::<(), rowstorm_schema::TemplateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The parts, in order; no two texts stand side by side.
    pub parts: Vec<TemplatePart>,
}

/// One part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// As written.
    Text(String),
    /// The value of this column.
    Column(String),
    /// A number drawn from low to high, both included.
    Range {
        /// The smallest.
        low: i64,
        /// The largest.
        high: i64,
    },
    /// The row's number, from 0.
    Row,
    /// The entity's number, from 0.
    Series,
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{` without its `}`.
    #[error("`{{` without its `}}`; write `{{{{` for a brace")]
    Open,
    /// `}` without its `{`.
    #[error("`}}` without its `{{`; write `}}}}` for a brace")]
    Close,
    /// `{}`
    #[error(
        "`{{}}` names nothing; write a column's name, `row`, `series` or a range like `{{0..99}}`"
    )]
    Empty,
    /// `{99..0}` or a bound that is no number.
    #[error("`{{{0}}}` is not a range; write two whole numbers, the lower first, like `{{0..99}}`")]
    Range(String),
}

impl Template {
    /// The columns that the template reads.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Column(name) => Some(name.as_str()),
            TemplatePart::Text(_)
            | TemplatePart::Range { .. }
            | TemplatePart::Row
            | TemplatePart::Series => None,
        })
    }

    /// Whether the template reads the entity's number, which only a table with `series` has.
    pub fn reads_series(&self) -> bool {
        self.parts.contains(&TemplatePart::Series)
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(source: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                text.push_str(brace);
                rest = after;
            } else if brace == "}" {
                return Err(TemplateError::Close);
            } else {
                let (name, after) = after.split_once('}').ok_or(TemplateError::Open)?;
                if !text.is_empty() {
                    parts.push(TemplatePart::Text(std::mem::take(&mut text)));
                }
                parts.push(part(name)?);
                rest = after;
            }
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(TemplatePart::Text(text));
        }
        Ok(Template { parts })
    }
}

fn part(name: &str) -> Result<TemplatePart, TemplateError> {
    let name = name.trim();
    if name.contains('{') {
        return Err(TemplateError::Open);
    }
    if let Some((low, high)) = name.split_once("..") {
        return match (low.parse(), high.parse()) {
            (Ok(low), Ok(high)) if low <= high => Ok(TemplatePart::Range { low, high }),
            (Ok(_) | Err(_), _) => Err(TemplateError::Range(name.to_owned())),
        };
    }
    match name {
        "" => Err(TemplateError::Empty),
        "row" => Ok(TemplatePart::Row),
        "series" => Ok(TemplatePart::Series),
        column => Ok(TemplatePart::Column(column.to_owned())),
    }
}

impl fmt::Display for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            TemplatePart::Text(text) => out.write_str(&text.replace('{', "{{").replace('}', "}}")),
            TemplatePart::Column(name) => write!(out, "{{{name}}}"),
            TemplatePart::Range { low, high } => write!(out, "{{{low}..{high}}}"),
            TemplatePart::Row => out.write_str("{row}"),
            TemplatePart::Series => out.write_str("{series}"),
        })
    }
}
