//! Reading a generator: a bare word where every setting has a default, else a map with exactly one key.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, de};

use crate::Generator;

/// The words of the file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Sequence,
    Uniform,
    Normal,
    LogNormal,
    Exponential,
    Zipf,
    OneOf,
    Template,
    States,
    Text,
    Fake,
    Clock,
    Now,
    Constant,
    UuidV4,
    UuidV7,
    Ref,
    Object,
    Array,
    Walk,
}

impl Word {
    /// The generator without settings, or an example of one with them.
    fn alone(self) -> Result<Generator, &'static str> {
        match self {
            Word::Sequence => Ok(Generator::Sequence(crate::SequenceSpec::default())),
            Word::Now => Ok(Generator::Now),
            Word::UuidV4 => Ok(Generator::UuidV4),
            Word::UuidV7 => Ok(Generator::UuidV7(crate::Uuid7Spec::default())),
            Word::Uniform => Err("{ uniform: [0, 100] }"),
            Word::Normal => Err("{ normal: { mean: 0, stdev: 1 } }"),
            Word::LogNormal => Err("{ log_normal: { median: 40, sigma: 0.8 } }"),
            Word::Exponential => Err("{ exponential: { mean: 10 } }"),
            Word::Zipf => Err("{ zipf: { n: 1000, exponent: 1.1 } }"),
            Word::OneOf => Err("{ one_of: [red, green] }"),
            Word::Template => Err("{ template: \"user_{id}\" }"),
            Word::States => Err("{ states: { next: { open: [paid], paid: [shipped] } } }"),
            Word::Text => Err("{ text: { bytes: 100 } }"),
            Word::Fake => Err("{ fake: first_name }"),
            Word::Clock => Err("{ clock: { step: 1s } }"),
            Word::Constant => Err("{ constant: 1 }"),
            Word::Ref => Err("{ ref: { table: customers } }"),
            Word::Object => Err("{ object: { name: { type: text, gen: { fake: first_name } } } }"),
            Word::Array => Err("{ array: { type: int, gen: { uniform: [0, 9] }, max: 5 } }"),
            Word::Walk => Err("{ walk: { mean: 20, stdev: 1 } }"),
        }
    }

    fn settings<'de, A: de::MapAccess<'de>>(self, map: &mut A) -> Result<Generator, A::Error> {
        Ok(match self {
            Word::Sequence => Generator::Sequence(map.next_value()?),
            Word::Uniform => Generator::Uniform(map.next_value()?),
            Word::Normal => Generator::Normal(map.next_value()?),
            Word::LogNormal => Generator::LogNormal(map.next_value()?),
            Word::Exponential => {
                let ExponentialSpec { mean } = map.next_value()?;
                Generator::Exponential { mean }
            }
            Word::Zipf => Generator::Zipf(map.next_value()?),
            Word::OneOf => Generator::OneOf(map.next_value()?),
            Word::Template => Generator::Template(map.next_value()?),
            Word::States => Generator::States(map.next_value()?),
            Word::Text => Generator::Text(map.next_value()?),
            Word::Fake => Generator::Fake(map.next_value()?),
            Word::Clock => Generator::Clock(map.next_value()?),
            Word::Now => map.next_value::<NoSettings>().map(|NoSettings {}| Generator::Now)?,
            Word::Constant => Generator::Constant(map.next_value()?),
            Word::UuidV4 => {
                map.next_value::<NoSettings>().map(|NoSettings {}| Generator::UuidV4)?
            }
            Word::UuidV7 => Generator::UuidV7(map.next_value()?),
            Word::Ref => Generator::Ref(map.next_value()?),
            Word::Object => Generator::Object(map.next_value::<IndexMap<_, _>>()?),
            Word::Array => Generator::Array(map.next_value()?),
            Word::Walk => Generator::Walk(map.next_value()?),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExponentialSpec {
    mean: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

impl<'de> Deserialize<'de> for Generator {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(GeneratorVisitor)
    }
}

struct GeneratorVisitor;

impl<'de> de::Visitor<'de> for GeneratorVisitor {
    type Value = Generator;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a generator, like `sequence` or `{ uniform: [0, 100] }`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Generator, E> {
        let word = Word::deserialize(de::value::StrDeserializer::<E>::new(text))?;
        word.alone()
            .map_err(|example| E::custom(format_args!("`{text}` needs settings: `{example}`")))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Generator, A::Error> {
        let Some(word) = map.next_key::<Word>()? else {
            return Err(de::Error::custom("no generator; write one, like `{ uniform: [0, 100] }`"));
        };
        let generator = word.settings(&mut map)?;
        match map.next_key::<String>()? {
            None => Ok(generator),
            Some(second) => Err(de::Error::custom(format_args!(
                "a second generator, `{second}`; a column has exactly one"
            ))),
        }
    }
}
