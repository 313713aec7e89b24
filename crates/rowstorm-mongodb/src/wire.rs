//! Which BSON type each column takes, down to the fields of its objects and the items of its arrays.

use rowstorm_gen::schema::{DataType, Generator, IntWidth};
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::sql::own_type;

/// This database's name in a column's `ddl`.
pub(crate) const DDL: &str = "mongodb";
/// A `Decimal128` holds so many digits.
pub(crate) const DECIMAL_DIGITS_MAX: u8 = 34;

/// The BSON type of one column's values: <https://bsonspec.org/spec.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wire {
    Bool,
    Int32,
    Int64,
    /// A `real`: rounded to four bytes, sent as eight, for BSON has no shorter float.
    Single,
    Double,
    Decimal,
    /// A decimal of more digits than `Decimal128` holds.
    DecimalText,
    String,
    Binary,
    /// Milliseconds.
    Date,
    /// Microseconds since 1970, as an integer: `ddl: {mongodb: long}` of a timestamp.
    Micros,
    Uuid,
    /// Whatever the JSON text is.
    Json,
    Document(Vec<Field>),
    Array(Box<Wire>),
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Ends in a zero byte.
    pub(crate) name: Vec<u8>,
    pub(crate) wire: Wire,
}

impl Wire {
    /// The type of a table's column: its own, unless `ddl: {mongodb: …}` names one that it can become.
    pub(crate) fn of(table: &TablePlan, column: &ColumnPlan) -> Wire {
        let generator = table.spec.columns.get(&*column.name).map(|column| &column.generator);
        let own = Wire::of_type(column.data_type, generator);
        match (&own, own_type(column, DDL)) {
            (Wire::Date, Some("long")) => Wire::Micros,
            (Wire::Decimal, Some("string")) => Wire::DecimalText,
            _ => own,
        }
    }

    fn of_type(data_type: DataType, generator: Option<&Generator>) -> Wire {
        match data_type {
            DataType::Bool => Wire::Bool,
            DataType::Int(IntWidth::Small | IntWidth::Int) => Wire::Int32,
            DataType::Int(IntWidth::Big) => Wire::Int64,
            DataType::Float { double: false } => Wire::Single,
            DataType::Float { double: true } => Wire::Double,
            DataType::Decimal { precision, .. } if precision > DECIMAL_DIGITS_MAX => {
                Wire::DecimalText
            }
            DataType::Decimal { .. } => Wire::Decimal,
            DataType::Text { .. } => Wire::String,
            DataType::Bytes => Wire::Binary,
            DataType::Timestamp => Wire::Date,
            DataType::Uuid => Wire::Uuid,
            DataType::Json => Wire::Json,
            DataType::Object => match generator {
                Some(Generator::Object(fields)) => {
                    let field = |(name, column): (&String, &rowstorm_gen::schema::Column)| Field {
                        name: c_string(name),
                        wire: Wire::of_type(column.data_type, Some(&column.generator)),
                    };
                    Wire::Document(fields.iter().map(field).collect())
                }
                _ => Wire::Document(Vec::new()),
            },
            DataType::Array => match generator {
                Some(Generator::Array(items)) => {
                    Wire::Array(Box::new(Wire::of_type(items.data_type, Some(&items.generator))))
                }
                _ => Wire::Array(Box::new(Wire::Json)),
            },
        }
    }

    /// The type's byte in front of an element; of [`Wire::Json`] it is known with the value only.
    pub(crate) fn tag(&self) -> u8 {
        match self {
            Wire::Single | Wire::Double => tag::DOUBLE,
            Wire::String | Wire::DecimalText => tag::STRING,
            Wire::Document(_) => tag::DOCUMENT,
            Wire::Array(_) => tag::ARRAY,
            Wire::Binary | Wire::Uuid => tag::BINARY,
            Wire::Bool => tag::BOOL,
            Wire::Date => tag::DATE,
            Wire::Json => tag::NULL,
            Wire::Int32 => tag::INT32,
            Wire::Int64 | Wire::Micros => tag::INT64,
            Wire::Decimal => tag::DECIMAL,
        }
    }

    /// The type's alias in the server's own words (`$type`), for people.
    pub(crate) fn alias(&self) -> &'static str {
        match self {
            Wire::Single | Wire::Double => "double",
            Wire::String | Wire::DecimalText => "string",
            Wire::Document(_) => "object",
            Wire::Array(_) => "array",
            Wire::Binary => "binData",
            Wire::Uuid => "UUID",
            Wire::Bool => "bool",
            Wire::Date => "date",
            Wire::Json => "any",
            Wire::Int32 => "int",
            Wire::Int64 | Wire::Micros => "long",
            Wire::Decimal => "decimal",
        }
    }
}

/// The bytes in front of elements.
pub(crate) mod tag {
    pub(crate) const DOUBLE: u8 = 0x01;
    pub(crate) const STRING: u8 = 0x02;
    pub(crate) const DOCUMENT: u8 = 0x03;
    pub(crate) const ARRAY: u8 = 0x04;
    pub(crate) const BINARY: u8 = 0x05;
    pub(crate) const OBJECT_ID: u8 = 0x07;
    pub(crate) const BOOL: u8 = 0x08;
    pub(crate) const DATE: u8 = 0x09;
    pub(crate) const NULL: u8 = 0x0A;
    pub(crate) const INT32: u8 = 0x10;
    pub(crate) const INT64: u8 = 0x12;
    pub(crate) const DECIMAL: u8 = 0x13;
}

/// A name with the zero byte that ends it; a zero byte inside would end it too early.
pub(crate) fn c_string(name: &str) -> Vec<u8> {
    let mut bytes = name.replace('\0', "\u{fffd}").into_bytes();
    bytes.push(0);
    bytes
}
