//! Rates one after another.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseUnitError, Rate, Span, text_or_number};

const EXPECTED: &str = "rates with their times, like `1000/s:30s,2500/s:30s,max:20s`";

/// More stages than a reader of the report looks at.
const STAGES_MAX: usize = 100;

/// Rates one after another, each for a time: `1000/s:30s,2500/s:30s,max:20s`.
///
/// ```
/// use rowstorm_schema::{Rate, Stages};
///
/// let stages: Stages = "1000/s:30s, max:20s".parse()?;
/// assert_eq!((stages.0.len(), stages.0[1].0), (2, Rate::Max));
/// assert_eq!(stages.to_string(), "1000/s:30s,max:20s");
/// # Ok::<(), rowstorm_schema::ParseUnitError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Stages(pub Vec<(Rate, Span)>);

impl FromStr for Stages {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let wrong = || ParseUnitError { text: text.to_owned(), expected: EXPECTED };
        let stage = |stage: &str| {
            let (rate, span) = stage.trim().split_once(':').ok_or_else(wrong)?;
            Ok((rate.trim().parse()?, span.trim().parse()?))
        };
        let stages: Vec<(Rate, Span)> = text.split(',').map(stage).collect::<Result<_, _>>()?;
        let empty = stages.iter().any(|(_, span)| span.0.is_zero());
        if stages.len() > STAGES_MAX || empty { Err(wrong()) } else { Ok(Stages(stages)) }
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (rate, span)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(out, "{comma}{rate}:{span}")?;
        }
        Ok(())
    }
}

impl Serialize for Stages {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stages {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        text_or_number(source, EXPECTED)
    }
}

impl JsonSchema for Stages {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Stages".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Rates one after another, each for a time.",
            "pattern": r"^[^:,]+:[^:,]+(,[^:,]+:[^:,]+)*$",
            "examples": ["1000/s:30s,2500/s:30s,max:20s"],
        })
    }
}
