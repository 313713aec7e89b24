//! SQL for one table: all text that is sent is made here, and every name in it is quoted.

use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::Prepare;
use rowstorm_sink::sql::{self, Case, Counting, NameLimit, Names, Sum};

use crate::timescale;
use crate::wire::{Wire, type_name};

/// PostgreSQL cuts names beyond 63 bytes off, with a notice that nobody reads (`NAMEDATALEN` - 1).
pub(crate) const NAMES: Names =
    Names { database: "PostgreSQL", quote, limit: NameLimit::Bytes(63), case: Case::Told };

/// A bigint's own sum is numeric, and an i128 holds it; a SELECT has at most 1,664 expressions.
pub(crate) const COUNTING: Counting = Counting {
    names: NAMES,
    sum: Sum::Exact(|column| format!("sum({column})")),
    text: |expression| format!("({expression})::text"),
    literal: |value| value.to_string(),
    cells_max: 1600,
};

/// A name as an identifier.
///
/// PostgreSQL's identifiers cannot hold a zero byte, which would end the statement on the wire.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', "\u{fffd}"))
}

/// A text as a literal, whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    let text = text.replace('\0', "\u{fffd}").replace('\'', "''");
    if text.contains('\\') {
        format!(" E'{}'", text.replace('\\', "\\\\"))
    } else {
        format!("'{text}'")
    }
}

/// The table's name, with its schema if one is given.
pub(crate) fn table_name(table: &TablePlan) -> String {
    let schema = table.spec.postgres.as_ref().and_then(|options| options.schema.as_deref());
    match schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(&table.name)),
        None => quote(&table.name),
    }
}

/// All columns' names, each written by `each`, with commas between.
pub(crate) fn columns(table: &TablePlan, each: impl Fn(&ColumnPlan) -> String) -> String {
    table.columns.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// Whether two expressions of a column's type hold the same: what stands in the table, and what was sent.
pub(crate) fn same(column: &ColumnPlan, there: &str, here: &str) -> String {
    match Wire::of(column) {
        // The table may round to fewer digits than were sent.
        Wire::Numeric => {
            format!("{there} IS NOT DISTINCT FROM round({here}, coalesce(scale({there}), 0))")
        }
        // `json` cannot be compared as it is.
        Wire::Text => format!("{there}::text IS NOT DISTINCT FROM {here}::text"),
        Wire::Bool
        | Wire::Int2
        | Wire::Int4
        | Wire::Int8
        | Wire::Float4
        | Wire::Float8
        | Wire::Bytea
        | Wire::Timestamp
        | Wire::Uuid
        | Wire::Jsonb => format!("{there} IS NOT DISTINCT FROM {here}"),
    }
}

/// The statement of one payload.
pub(crate) fn copy(table: &TablePlan) -> String {
    format!("COPY {} ({}) FROM STDIN (FORMAT binary)", table_name(table), NAMES.columns(table))
}

/// What makes the table, as one message and so as one transaction.
pub(crate) fn create(table: &TablePlan) -> String {
    let unlogged = table.spec.postgres.as_ref().is_some_and(|options| options.unlogged);
    let unlogged = if unlogged { "UNLOGGED " } else { "" };
    let definitions = sql::definitions(table, &NAMES, type_name);
    let table_itself =
        format!("CREATE {unlogged}TABLE IF NOT EXISTS {} {definitions}", table_name(table));
    match timescale::create(table) {
        Some(hypertable) => format!("{table_itself};\n{hypertable}"),
        None => table_itself,
    }
}

/// The statement that drops the table.
pub(crate) fn drop(table: &TablePlan) -> String {
    format!("DROP TABLE IF EXISTS {}", table_name(table))
}

/// A secondary index: its quoted name, and the statement that makes it.
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) create: String,
}

/// The secondary indexes.
pub(crate) fn indexes(table: &TablePlan) -> Vec<Index> {
    let each = table.spec.indexes.iter().map(|index| {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let name = quote(&NAMES.index(&table.name, index));
        let on = NAMES.list(index.on.iter().map(String::as_str));
        let table = table_name(table);
        let create = format!("CREATE {unique}INDEX IF NOT EXISTS {name} ON {table} ({on})");
        Index { name, create }
    });
    each.collect()
}

/// The index's name as the catalogue finds it: in the table's own schema.
pub(crate) fn index_place(table: &TablePlan, index: &Index) -> String {
    match table_name(table).strip_suffix(&quote(&table.name)) {
        Some(schema) => format!("{schema}{}", index.name),
        None => index.name.clone(),
    }
}

/// All statements of a preparation and its finish, in order.
pub(crate) fn statements(table: &TablePlan, prepare: &Prepare) -> Vec<String> {
    let indexes = indexes(table).into_iter().map(|index| index.create);
    let mut ddl = sql::statements(prepare, drop(table), create(table), indexes);
    ddl.push(format!("ANALYZE {}", table_name(table)));
    ddl
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads one quoted identifier; what is left behind it.
    fn unquote(text: &str) -> (String, &str) {
        let mut name = String::new();
        let mut rest = text.strip_prefix('"').expect("an opening quote");
        loop {
            let at = rest.find('"').expect("a closing quote");
            name += &rest[..at];
            rest = &rest[at + 1..];
            match rest.strip_prefix('"') {
                Some(more) => {
                    name.push('"');
                    rest = more;
                }
                None => return (name, rest),
            }
        }
    }

    proptest! {
        #[test]
        fn a_quoted_name_is_one_identifier_and_nothing_else(name in "\\PC*") {
            let quoted = quote(&name);
            prop_assert_eq!(unquote(&quoted), (name, ""));
        }

        #[test]
        fn a_literal_ends_where_it_says(text in "[a'\\\\]{0,12}") {
            let sql = literal(&text);
            let escapes = sql.starts_with(" E");
            let inner = sql.trim_start_matches(" E").strip_prefix('\'').expect("opens");
            let inner = inner.strip_suffix('\'').expect("closes").replace("''", "\u{1}");
            prop_assert!(!inner.contains('\''));
            let plain = if escapes { inner.replace("\\\\", "\\") } else { inner };
            prop_assert_eq!(plain.replace('\u{1}', "'"), text);
        }
    }
}
