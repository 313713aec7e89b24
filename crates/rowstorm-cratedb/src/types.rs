//! Which type a column has in CrateDB, and which stored types take what is sent.

use rowstorm_gen::schema::{Choices, Column, Generator};
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_schema::{DataType, IntWidth, Literal};
use rowstorm_sink::sql::{Fault, StoredColumn, own_type};

/// Lucene's longest term, and so the longest text of a column that is indexed or stored by columns.
const TERM_BYTES_MAX: u64 = 32_766;

/// The column's type, with what belongs to it.
pub(crate) fn words(column: &ColumnPlan, table: &TablePlan) -> String {
    if let Some(own) = own_type(column, "cratedb") {
        return own.to_owned();
    }
    let policy = table.spec.cratedb.as_ref().and_then(|options| options.object_policy.as_deref());
    let policy = policy.unwrap_or("dynamic");
    let generator = table.spec.columns.get(&*column.name).map(|column| &column.generator);
    let words = type_words(column.data_type, generator, policy);
    // Longer texts are kept beside the index, where they can be read and not searched.
    if words_are_text(&words) && longest(column.data_type, generator) > TERM_BYTES_MAX {
        format!("{words} INDEX OFF STORAGE WITH (columnstore = false)")
    } else {
        words
    }
}

fn words_are_text(words: &str) -> bool {
    words == "TEXT" || words.starts_with("VARCHAR")
}

fn type_words(data_type: DataType, generator: Option<&Generator>, policy: &str) -> String {
    let words = match data_type {
        DataType::Bool => "BOOLEAN",
        DataType::Int(IntWidth::Small) => "SMALLINT",
        DataType::Int(IntWidth::Int) => "INTEGER",
        DataType::Int(IntWidth::Big) => "BIGINT",
        DataType::Float { double: false } => "REAL",
        DataType::Float { double: true } => "DOUBLE PRECISION",
        DataType::Decimal { precision, scale } => return format!("NUMERIC({precision}, {scale})"),
        DataType::Text { max: Some(max) } => return format!("VARCHAR({max})"),
        // There is no type for bytes, none for UUIDs, and OBJECT holds no array and no number.
        DataType::Text { max: None } | DataType::Bytes | DataType::Uuid | DataType::Json => "TEXT",
        DataType::Timestamp => "TIMESTAMP WITH TIME ZONE",
        DataType::Object => return object(generator, policy),
        DataType::Array => {
            let items = match generator {
                Some(Generator::Array(items)) => {
                    type_words(items.data_type, Some(&items.generator), policy)
                }
                _ => "TEXT".to_owned(),
            };
            return format!("ARRAY({items})");
        }
    };
    words.to_owned()
}

/// `dynamic` adds fields as they come, `ignored` keeps them as they come; `strict` is told all of them.
fn object(generator: Option<&Generator>, policy: &str) -> String {
    let policy_word = policy.to_uppercase();
    match (policy, generator) {
        ("strict", Some(Generator::Object(fields))) => {
            let each = fields.iter().map(|(name, field)| {
                format!("{} {}", crate::dialect::quote(name), field_words(field, policy))
            });
            let fields = each.collect::<Vec<_>>().join(", ");
            format!("OBJECT({policy_word}) AS ({fields})")
        }
        _ => format!("OBJECT({policy_word})"),
    }
}

/// Inside an object values are JSON's own: a decimal is a number, an instant a text with microseconds.
fn field_words(field: &Column, policy: &str) -> String {
    match field.data_type {
        DataType::Decimal { .. } => "DOUBLE PRECISION".to_owned(),
        DataType::Timestamp => "TEXT".to_owned(),
        data_type => type_words(data_type, Some(&field.generator), policy),
    }
}

/// The most bytes of a text that a generator makes, as far as it says so.
fn longest(data_type: DataType, generator: Option<&Generator>) -> u64 {
    let of_literal = |value: &Literal| value.to_string().len() as u64;
    let bytes = match generator {
        Some(Generator::Text(text)) => u64::from(text.bytes.or(text.max).unwrap_or_default()),
        Some(Generator::Constant(value)) => of_literal(value),
        Some(Generator::OneOf(Choices::Alike(values))) => {
            values.iter().map(of_literal).max().unwrap_or_default()
        }
        Some(Generator::OneOf(Choices::Weighted(weights))) => {
            weights.keys().map(|value| value.len() as u64).max().unwrap_or_default()
        }
        Some(_) | None => 0,
    };
    if data_type == DataType::Bytes { 2 * bytes } else { bytes }
}

/// What the catalogue says of a column beyond its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) is_nullable: bool,
    pub(crate) characters_max: Option<u32>,
}

/// What is wrong with a stored column for what the encoder sends, if anything is.
pub(crate) fn fault(column: &ColumnPlan, stored: &StoredColumn<Stored>) -> Option<Fault> {
    // Whoever names a type knows what it takes; a value that it does not take is refused and counted.
    if own_type(column, "cratedb").is_some() {
        return None;
    }
    let is = stored.declared.as_str();
    let (takes, sent): (&[&str], &str) = match column.data_type {
        DataType::Bool => (&["boolean"], "a boolean"),
        DataType::Int(_) => (&["smallint", "integer", "bigint", "numeric"], "an integer"),
        DataType::Float { .. } => (&["real", "double precision"], "a float"),
        DataType::Decimal { .. } => (&["numeric"], "a decimal"),
        DataType::Text { .. } | DataType::Bytes => {
            (&["text", "character varying", "varchar"], "text")
        }
        DataType::Uuid => (&["text", "character varying", "varchar", "uuid"], "text"),
        DataType::Json => (&["text", "character varying", "varchar"], "a document as text"),
        DataType::Timestamp => {
            (&["timestamp with time zone", "timestamp without time zone"], "milliseconds")
        }
        DataType::Object => (&["object"], "an object"),
        DataType::Array => {
            let is_array = is.ends_with("_array") || is.starts_with("array");
            return if is_array { None } else { Some(Fault::Type { sent: "an array".into() }) };
        }
    };
    if !takes.contains(&is) {
        return Some(Fault::Type { sent: sent.to_owned() });
    }
    let is_narrow = match column.data_type {
        DataType::Int(width) => narrower(is, width),
        DataType::Float { double } => double && is == "real",
        DataType::Text { max: Some(max) } => {
            stored.detail.characters_max.is_some_and(|it| it < max)
        }
        DataType::Text { max: None } => stored.detail.characters_max.is_some(),
        _ => false,
    };
    if is_narrow {
        Some(Fault::Narrow)
    } else if column.nullable() && !stored.detail.is_nullable {
        Some(Fault::Null)
    } else {
        None
    }
}

fn narrower(is: &str, width: IntWidth) -> bool {
    let there = match is {
        "smallint" => IntWidth::Small,
        "integer" => IntWidth::Int,
        _ => IntWidth::Big,
    };
    there < width
}
