//! SQL for one table: all text that is sent is made here, and every name in it is quoted.

use std::fmt::Write as _;

use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_schema::Index;
use rowstorm_sink::sql::{Case, Counting, NameLimit, Names, Sum, definitions};

use crate::types::{Cell, KEY_BYTES_MAX, Stored, stored};

pub(crate) const NAMES: Names =
    Names { database: "MySQL", quote, limit: NameLimit::Characters(64), case: Case::Ignored };

pub(crate) const COUNTING: Counting = Counting {
    names: NAMES,
    // A DECIMAL of so many digits that no sum of 64-bit integers leaves it.
    sum: Sum::Exact(|column| format!("sum({column})")),
    text: |expression| format!("CAST({expression} AS CHAR)"),
    literal: |value| value.to_string(),
    // MySQL takes 4,096 expressions.
    cells_max: 1000,
};

/// Distinct texts must stay distinct keys, trailing spaces included: the binary collation without padding has another
/// name on each server, and each reads only its own comment.
const COLLATION: &str = "DEFAULT CHARACTER SET utf8mb4 /*!80017 COLLATE utf8mb4_0900_bin */ \
                         /*M!100202 COLLATE utf8mb4_nopad_bin */";

/// The temporary table of a replay.
pub(crate) const STAGE: &str = "`rowstorm_stage`";

/// A name as an identifier. A zero byte would end the statement.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``").replace('\0', "\u{fffd}"))
}

/// A text as a literal; our sessions have no `NO_BACKSLASH_ESCAPES`.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\0', "\\0"))
}

pub(crate) fn table_name(table: &TablePlan) -> String {
    quote(&table.name)
}

/// The statement that makes the table.
pub(crate) fn create(table: &TablePlan) -> String {
    let types = stored(table);
    let words = |column: &ColumnPlan| {
        let place = table.columns.iter().position(|other| other.name == column.name);
        types[place.expect("the column is the table's")].word.clone()
    };
    let mut body = definitions(table, &NAMES, words);
    for (column, Stored { check, .. }) in table.columns.iter().zip(&types) {
        if let Some(max) = check {
            body.truncate(body.len() - "\n)".len());
            let _ = write!(body, ",\n  CHECK (char_length({}) <= {max})\n)", quote(&column.name));
        }
    }
    let engine = table.spec.mysql.as_ref().and_then(|options| options.engine.as_deref());
    let engine = engine.map_or(String::new(), |name| format!("ENGINE={} ", literal(name)));
    format!("CREATE TABLE IF NOT EXISTS {} {body} {engine}{COLLATION}", table_name(table))
}

/// The statement that drops the table.
pub(crate) fn drop(table: &TablePlan) -> String {
    format!("DROP TABLE IF EXISTS {}", table_name(table))
}

/// A secondary index: its name, not quoted, and the statement that makes it.
pub(crate) struct IndexSql {
    pub(crate) name: String,
    pub(crate) create: String,
}

/// The secondary indexes.
pub(crate) fn indexes(table: &TablePlan) -> Vec<IndexSql> {
    let types = stored(table);
    let each = table.spec.indexes.iter().map(|index| {
        let name = NAMES.index(&table.name, index);
        let unique = if index.unique { "UNIQUE " } else { "" };
        let on = index_columns(table, index, &types);
        let create =
            format!("CREATE {unique}INDEX {} ON {} ({on})", quote(&name), table_name(table));
        IndexSql { name, create }
    });
    each.collect()
}

/// An index's columns; texts that do not fit an index whole go in with as much of their beginning as there is room for.
fn index_columns(table: &TablePlan, index: &Index, types: &[Stored]) -> String {
    let bytes = |name: &String| {
        let place = table.columns.iter().position(|column| *column.name == **name);
        place.and_then(|place| types[place].key_bytes)
    };
    let whole: Option<u32> = index.on.iter().map(bytes).sum();
    if index.unique || whole.is_some_and(|bytes| bytes <= KEY_BYTES_MAX) {
        return NAMES.list(index.on.iter().map(String::as_str));
    }
    // Columns of fixed width keep theirs; the others share what is left, four bytes a character.
    let is_long = |name: &&String| bytes(name).is_none_or(|bytes| bytes > 64);
    let short: u32 = index.on.iter().filter(|name| !is_long(name)).filter_map(bytes).sum();
    let long = index.on.iter().filter(is_long).count() as u32;
    let characters = (KEY_BYTES_MAX.saturating_sub(short) / 4 / long.max(1)).min(255);
    let part = |name: &String| match bytes(name) {
        Some(bytes) if bytes <= 64 || bytes / 4 <= characters => quote(name),
        _ => format!("{}({characters})", quote(name)),
    };
    index.on.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// The statement that reads rows from our own memory, into a table of this quoted name.
pub(crate) fn load(table: &TablePlan, name: &str) -> String {
    let (mut targets, mut sets) = (Vec::new(), Vec::new());
    for (place, column) in table.columns.iter().enumerate() {
        let column_name = quote(&column.name);
        if Cell::of(column) == Cell::Hex {
            targets.push(format!("@rowstorm_{place}"));
            sets.push(format!("{column_name} = UNHEX(@rowstorm_{place})"));
        } else {
            targets.push(column_name);
        }
    }
    let sets = if sets.is_empty() { String::new() } else { format!(" SET {}", sets.join(", ")) };
    let targets = targets.join(", ");
    format!(
        "LOAD DATA LOCAL INFILE 'rowstorm' INTO TABLE {name} CHARACTER SET utf8mb4 ({targets}){sets}"
    )
}

/// The beginning of the statement that takes rows as literals, into a table of this quoted name.
pub(crate) fn insert(table: &TablePlan, name: &str) -> String {
    format!("INSERT IGNORE INTO {name} ({}) VALUES ", NAMES.columns(table))
}

/// The temporary table of a replay: the table's columns, kept apart by its identity alone.
pub(crate) fn stage(table: &TablePlan, identity: &[usize], name: &str) -> String {
    format!(
        "CREATE TEMPORARY TABLE {name} (PRIMARY KEY ({})) SELECT {} FROM {} LIMIT 0",
        NAMES.places(table, identity),
        NAMES.columns(table),
        table_name(table)
    )
}

/// From the temporary table into the table; rows that cannot go are left out with a warning each.
pub(crate) fn unstage(table: &TablePlan, name: &str) -> String {
    let columns = NAMES.columns(table);
    format!("INSERT IGNORE INTO {} ({columns}) SELECT {columns} FROM {name}", table_name(table))
}

/// How many rows of the temporary table stand in the table with the same content in these columns. A locking read, which
/// sees what is committed now and not what was when the transaction began.
pub(crate) fn standing(
    table: &TablePlan,
    identity: &[usize],
    content: &[usize],
    stage: &str,
) -> String {
    let keys = identity.iter().map(|&place| {
        let name = quote(&table.columns[place].name);
        format!("there.{name} = here.{name}")
    });
    let same = content.iter().map(|&place| {
        let name = quote(&table.columns[place].name);
        format!("there.{name} <=> here.{name}")
    });
    format!(
        "SELECT COUNT(*) FROM {stage} here STRAIGHT_JOIN {} there ON {} LOCK IN SHARE MODE",
        table_name(table),
        keys.chain(same).collect::<Vec<_>>().join(" AND ")
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quoted_name_is_one_identifier_and_nothing_else(name in "\\PC*") {
            let quoted = quote(&name);
            let inner = quoted.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).expect("quotes");
            prop_assert!(!inner.replace("``", "").contains('`'));
            prop_assert_eq!(inner.replace("``", "`"), name);
        }

        #[test]
        fn a_literal_ends_where_it_says(text in "[a'\\\\\\x00]{0,12}") {
            let sql = literal(&text);
            let mut inner = sql.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).expect("quotes").chars();
            let mut read = String::new();
            while let Some(letter) = inner.next() {
                prop_assert_ne!(letter, '\'');
                read.push(match letter {
                    '\\' => match inner.next().expect("a backslash is followed") {
                        '0' => '\0',
                        other => other,
                    },
                    other => other,
                });
            }
            prop_assert_eq!(read, text);
        }
    }
}
