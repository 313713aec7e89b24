//! Scalars of the document, kept by kind; and the lists that `one_of` chooses from.

use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A scalar in the document, read by the column's type: `NO` in a text column is Norway.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Anything else, as written.
    Text(String),
    /// A JSON value for `json` columns.
    Json(serde_json::Value),
}

impl fmt::Display for Literal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => out.write_str("null"),
            Literal::Bool(value) => value.fmt(out),
            Literal::Int(value) => value.fmt(out),
            Literal::Float(value) => value.fmt(out),
            Literal::Text(value) => out.write_str(value),
            Literal::Json(value) => value.fmt(out),
        }
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct LiteralVisitor;

        impl<'de> de::Visitor<'de> for LiteralVisitor {
            type Value = Literal;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Literal, E> {
                Ok(Literal::Null)
            }

            fn visit_none<E>(self) -> Result<Literal, E> {
                Ok(Literal::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Literal, E> {
                Ok(Literal::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Literal, E> {
                Ok(Literal::Int(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Literal, E> {
                i64::try_from(value).map(Literal::Int).map_err(|_| {
                    E::custom(format_args!(
                        "{value} is beyond 64 signed bits; quote it: \"{value}\""
                    ))
                })
            }

            fn visit_f64<E>(self, value: f64) -> Result<Literal, E> {
                Ok(Literal::Float(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Literal, E> {
                Ok(Literal::Text(value.to_owned()))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, items: A) -> Result<Literal, A::Error> {
                serde_json::Value::deserialize(de::value::SeqAccessDeserializer::new(items))
                    .map(Literal::Json)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, entries: A) -> Result<Literal, A::Error> {
                serde_json::Value::deserialize(de::value::MapAccessDeserializer::new(entries))
                    .map(Literal::Json)
            }
        }

        source.deserialize_any(LiteralVisitor)
    }
}

impl JsonSchema for Literal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Literal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A value, read by the column's type." })
    }
}

/// The values of `one_of`: a list, or a map from value to weight.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Choices {
    /// Each alike.
    Alike(Vec<Literal>),
    /// Each by its weight; keys are read by the column's type.
    Weighted(IndexMap<String, f64>),
}

impl Choices {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Choices::Alike(values) => values.len(),
            Choices::Weighted(weights) => weights.len(),
        }
    }

    /// Whether there is nothing to choose.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'de> Deserialize<'de> for Choices {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct ChoicesVisitor;

        impl<'de> de::Visitor<'de> for ChoicesVisitor {
            type Value = Choices;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of values, or a map from value to weight")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, items: A) -> Result<Choices, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(items)).map(Choices::Alike)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, entries: A) -> Result<Choices, A::Error> {
                IndexMap::deserialize(de::value::MapAccessDeserializer::new(entries))
                    .map(Choices::Weighted)
            }
        }

        source.deserialize_any(ChoicesVisitor)
    }
}

impl JsonSchema for Choices {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Choices".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<Literal>();
        json_schema!({
            "description": "A list of values, each alike; or a map from value to weight.",
            "oneOf": [
                { "type": "array", "items": value, "minItems": 1 },
                {
                    "type": "object",
                    "additionalProperties": { "type": "number", "exclusiveMinimum": 0 },
                    "minProperties": 1,
                },
            ],
        })
    }
}
