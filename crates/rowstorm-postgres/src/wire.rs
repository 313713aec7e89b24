//! Which binary form each column takes: a COPY in binary must match the table's types to the byte.

use rowstorm_gen::ColumnPlan;
use rowstorm_schema::{DataType, IntWidth};

/// The binary form of one column's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Bytea,
    /// Microseconds since 2000-01-01, with or without a time zone.
    Timestamp,
    Uuid,
    /// A version byte, then text.
    Jsonb,
}

impl Wire {
    /// The form of a column: its type's own, unless `ddl: {postgres: …}` names a type that takes another.
    pub(crate) fn of(column: &ColumnPlan) -> Wire {
        let own = Wire::of_type(column.data_type);
        let Some(word) = overridden(column) else { return own };
        let word = word.split('(').next().unwrap_or_default().trim().to_ascii_lowercase();
        let named = match word.as_str() {
            "smallint" | "int2" => Wire::Int2,
            "integer" | "int" | "int4" => Wire::Int4,
            "bigint" | "int8" => Wire::Int8,
            "real" | "float4" => Wire::Float4,
            "double precision" | "float8" => Wire::Float8,
            "numeric" | "decimal" => Wire::Numeric,
            "jsonb" => Wire::Jsonb,
            "json" | "text" | "varchar" | "character varying" => Wire::Text,
            _ => return own,
        };
        if own.becomes(named) { named } else { own }
    }

    fn of_type(data_type: DataType) -> Wire {
        match data_type {
            DataType::Bool => Wire::Bool,
            DataType::Int(IntWidth::Small) => Wire::Int2,
            DataType::Int(IntWidth::Int) => Wire::Int4,
            DataType::Int(IntWidth::Big) => Wire::Int8,
            DataType::Float { double: false } => Wire::Float4,
            DataType::Float { double: true } => Wire::Float8,
            DataType::Decimal { .. } => Wire::Numeric,
            DataType::Text { .. } => Wire::Text,
            DataType::Bytes => Wire::Bytea,
            DataType::Timestamp => Wire::Timestamp,
            DataType::Uuid => Wire::Uuid,
            DataType::Json | DataType::Object | DataType::Array => Wire::Jsonb,
        }
    }

    /// Whether the encoder can write this form's values in another form.
    fn becomes(self, other: Wire) -> bool {
        use Wire::{Float4, Float8, Int2, Int4, Int8, Jsonb, Numeric, Text};
        self == other
            || matches!(
                (self, other),
                (Int2 | Int4 | Int8, Int2 | Int4 | Int8 | Numeric)
                    | (Float4 | Float8, Float4 | Float8)
                    | (Text, Jsonb)
                    | (Jsonb, Text)
            )
    }

    /// The catalogue's names of the functions that read this form (`pg_type.typreceive`).
    ///
    /// A type of a user's own is not known ahead; where the schema names it (`ddl`), it must read text.
    pub(crate) fn readers(self) -> &'static [&'static str] {
        match self {
            Wire::Bool => &["boolrecv"],
            Wire::Int2 => &["int2recv"],
            Wire::Int4 => &["int4recv"],
            Wire::Int8 => &["int8recv"],
            Wire::Float4 => &["float4recv"],
            Wire::Float8 => &["float8recv"],
            Wire::Numeric => &["numeric_recv"],
            Wire::Text => &["textrecv", "varcharrecv", "bpcharrecv", "json_recv", "enum_recv"],
            Wire::Bytea => &["bytearecv"],
            Wire::Timestamp => &["timestamptz_recv", "timestamp_recv"],
            Wire::Uuid => &["uuid_recv"],
            Wire::Jsonb => &["jsonb_recv"],
        }
    }
}

/// The column's type in SQL.
pub(crate) fn type_name(column: &ColumnPlan) -> String {
    if let Some(word) = overridden(column) {
        return word.to_owned();
    }
    match column.data_type {
        DataType::Bool => "boolean".into(),
        DataType::Int(IntWidth::Small) => "smallint".into(),
        DataType::Int(IntWidth::Int) => "integer".into(),
        DataType::Int(IntWidth::Big) => "bigint".into(),
        DataType::Float { double: false } => "real".into(),
        DataType::Float { double: true } => "double precision".into(),
        DataType::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
        DataType::Text { max: None } => "text".into(),
        DataType::Text { max: Some(max) } => format!("varchar({max})"),
        DataType::Bytes => "bytea".into(),
        DataType::Timestamp => "timestamptz".into(),
        DataType::Uuid => "uuid".into(),
        DataType::Json | DataType::Object | DataType::Array => "jsonb".into(),
    }
}

fn overridden(column: &ColumnPlan) -> Option<&str> {
    column.ddl.iter().find(|(database, _)| database == "postgres").map(|(_, word)| word.as_str())
}
