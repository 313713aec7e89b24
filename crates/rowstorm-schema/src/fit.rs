//! Which generators make which types.

use crate::{DataType, Generator};

/// Every generator with the types that it makes, in the words of the file format.
const FITS: &[(&str, &[Kind])] = &[
    ("sequence", NUMBERS),
    ("uniform", &[Kind::Int, Kind::Float, Kind::Decimal, Kind::Timestamp]),
    ("normal", NUMBERS),
    ("log_normal", NUMBERS),
    ("exponential", NUMBERS),
    ("zipf", NUMBERS),
    ("one_of", SCALARS),
    ("template", &[Kind::Text]),
    ("states", &[Kind::Bool, Kind::Int, Kind::Text]),
    ("text", &[Kind::Text, Kind::Bytes]),
    ("fake", &[Kind::Text]),
    ("clock", &[Kind::Timestamp]),
    ("now", &[Kind::Timestamp]),
    ("constant", SCALARS),
    ("uuid_v4", &[Kind::Uuid, Kind::Text]),
    ("uuid_v7", &[Kind::Uuid, Kind::Text]),
    ("ref", KEYS),
    ("object", &[Kind::Object]),
    ("array", &[Kind::Array]),
    ("walk", NUMBERS),
];

const NUMBERS: &[Kind] = &[Kind::Int, Kind::Float, Kind::Decimal];

const KEYS: &[Kind] = &[
    Kind::Bool,
    Kind::Int,
    Kind::Float,
    Kind::Decimal,
    Kind::Text,
    Kind::Bytes,
    Kind::Timestamp,
    Kind::Uuid,
];

const SCALARS: &[Kind] = &[
    Kind::Bool,
    Kind::Int,
    Kind::Float,
    Kind::Decimal,
    Kind::Text,
    Kind::Bytes,
    Kind::Timestamp,
    Kind::Uuid,
    Kind::Json,
];

/// A type without its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Float,
    Decimal,
    Text,
    Bytes,
    Timestamp,
    Uuid,
    Json,
    Object,
    Array,
}

impl Kind {
    fn of(data_type: DataType) -> Kind {
        match data_type {
            DataType::Bool => Kind::Bool,
            DataType::Int(_) => Kind::Int,
            DataType::Float { .. } => Kind::Float,
            DataType::Decimal { .. } => Kind::Decimal,
            DataType::Text { .. } => Kind::Text,
            DataType::Bytes => Kind::Bytes,
            DataType::Timestamp => Kind::Timestamp,
            DataType::Uuid => Kind::Uuid,
            DataType::Json => Kind::Json,
            DataType::Object => Kind::Object,
            DataType::Array => Kind::Array,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "integers",
            Kind::Float => "floats",
            Kind::Decimal => "decimals",
            Kind::Text => "text",
            Kind::Bytes => "bytes",
            Kind::Timestamp => "timestamps",
            Kind::Uuid => "uuids",
            Kind::Json => "json",
            Kind::Object => "objects",
            Kind::Array => "arrays",
        }
    }
}

impl Generator {
    /// The generator's word in the file format.
    pub fn name(&self) -> &'static str {
        match self {
            Generator::Sequence(_) => "sequence",
            Generator::Uniform(_) => "uniform",
            Generator::Normal(_) => "normal",
            Generator::LogNormal(_) => "log_normal",
            Generator::Exponential { .. } => "exponential",
            Generator::Zipf(_) => "zipf",
            Generator::OneOf(_) => "one_of",
            Generator::Template(_) => "template",
            Generator::States(_) => "states",
            Generator::Text(_) => "text",
            Generator::Fake(_) => "fake",
            Generator::Clock(_) => "clock",
            Generator::Now => "now",
            Generator::Constant(_) => "constant",
            Generator::UuidV4 => "uuid_v4",
            Generator::UuidV7(_) => "uuid_v7",
            Generator::Ref(_) => "ref",
            Generator::Object(_) => "object",
            Generator::Array(_) => "array",
            Generator::Walk(_) => "walk",
        }
    }

    /// Whether the generator makes values of this type. UUIDs as text need room for their 36 characters.
    ///
    /// ```
    /// use rowstorm_schema::{DataType, Generator};
    ///
    /// assert!(Generator::Now.fits(DataType::Timestamp));
    /// assert!(!Generator::Now.fits(DataType::Bool));
    /// assert!(!Generator::UuidV4.fits(DataType::Text { max: Some(35) }));
    /// ```
    pub fn fits(&self, data_type: DataType) -> bool {
        const UUID_CHARS: u32 = 36;
        let is_uuid = matches!(self, Generator::UuidV4 | Generator::UuidV7(_));
        match data_type {
            DataType::Text { max: Some(max) } if is_uuid && max < UUID_CHARS => false,
            _ => kinds_of(self.name()).contains(&Kind::of(data_type)),
        }
    }

    /// The types that the generator makes: "integers, floats, decimals".
    pub(crate) fn makes(&self) -> String {
        let words: Vec<_> = kinds_of(self.name()).iter().map(|kind| kind.words()).collect();
        words.join(", ")
    }

    /// The words of the generators that make this type.
    pub(crate) fn names_for(data_type: DataType) -> Vec<&'static str> {
        let kind = Kind::of(data_type);
        FITS.iter().filter(|(_, kinds)| kinds.contains(&kind)).map(|(name, _)| *name).collect()
    }
}

fn kinds_of(name: &str) -> &'static [Kind] {
    FITS.iter().find(|(known, _)| *known == name).map_or(&[], |(_, kinds)| kinds)
}
