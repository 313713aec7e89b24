//! SQL for one table: all text that is sent is made here, and every name in it is quoted.

use std::fmt::Write as _;

use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_sink::{IndexTime, Prepare, PrepareMode};

use crate::wire::type_name;

/// PostgreSQL cuts longer names off, with a notice that nobody reads (`NAMEDATALEN` - 1).
pub(crate) const NAME_BYTES_MAX: usize = 63;

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

/// The columns that make rows different from each other, as the database enforces it: the key, else a column that is
/// unique and never null. Empty if there are none.
pub(crate) fn identity(table: &TablePlan) -> Vec<usize> {
    if !table.key.is_empty() {
        return table.key.clone();
    }
    let unique = |column: &ColumnPlan| column.unique && !column.nullable();
    table.columns.iter().position(unique).into_iter().collect()
}

/// The statement of one payload.
pub(crate) fn copy(table: &TablePlan) -> String {
    let columns = columns(table, |column| quote(&column.name));
    format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", table_name(table))
}

/// The statement that makes the table.
pub(crate) fn create(table: &TablePlan) -> String {
    let unlogged = table.spec.postgres.as_ref().is_some_and(|options| options.unlogged);
    let mut sql = format!(
        "CREATE {}TABLE IF NOT EXISTS {} (",
        if unlogged { "UNLOGGED " } else { "" },
        table_name(table)
    );
    for (place, column) in table.columns.iter().enumerate() {
        let _ = write!(
            sql,
            "{}\n  {} {}{}{}",
            if place > 0 { "," } else { "" },
            quote(&column.name),
            type_name(column),
            if column.nullable() { "" } else { " NOT NULL" },
            if column.unique { " UNIQUE" } else { "" },
        );
    }
    if !table.key.is_empty() {
        let _ = write!(sql, ",\n  PRIMARY KEY ({})", names(table, &table.key));
    }
    sql + "\n)"
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
        let name = quote(&index_name(&table.name, &index.on, index.unique));
        let on = index.on.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ");
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
    let mut ddl = Vec::new();
    if prepare.mode == PrepareMode::Recreate {
        ddl.push(drop(table));
    }
    ddl.push(create(table));
    if prepare.indexes != IndexTime::None {
        ddl.extend(indexes(table).into_iter().map(|index| index.create));
    }
    ddl.push(format!("ANALYZE {}", table_name(table)));
    ddl
}

/// Chosen columns' quoted names.
pub(crate) fn names(table: &TablePlan, places: &[usize]) -> String {
    let names = places.iter().map(|&place| quote(&table.columns[place].name));
    names.collect::<Vec<_>>().join(", ")
}

/// `table_columns_hash`: readable, and never the same for two different indexes (`a_b` on `c`, `a` on `b_c`).
fn index_name(table: &str, on: &[String], unique: bool) -> String {
    let whole = format!("{table}\0{}\0{unique}", on.join("\0"));
    // FNV-1a: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
    let hash = whole.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let tail = format!("_{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff));
    let mut name = format!("{table}_{}", on.join("_"));
    let longest = NAME_BYTES_MAX - tail.len();
    if name.len() > longest {
        let cut = (0..=longest).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
        name.truncate(cut);
    }
    name + &tail
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

        #[test]
        fn index_names_fit_and_tell_indexes_apart(
            table in "\\PC{1,40}",
            on in prop::collection::vec("\\PC{1,40}", 1..4),
        ) {
            let name = index_name(&table, &on, false);
            prop_assert!(name.len() <= NAME_BYTES_MAX);
            prop_assert_ne!(&name, &index_name(&table, &on, true));
            prop_assert_eq!(&name, &index_name(&table, &on, false));
        }
    }

    #[test]
    fn names_that_join_alike_are_told_apart() {
        let name = |table: &str, column: &str| index_name(table, &[column.to_owned()], false);
        assert_ne!(name("a_b", "c"), name("a", "b_c"));
    }
}
