//! Making a table ready: its definition, and what is said where it cannot be.

use rowstorm_gen::{ColumnPlan, TablePlan};

use super::Names;
use crate::{IndexTime, Prepare, PrepareMode, SinkError};

/// The columns that keep rows apart, as the database enforces it: the key, else a column that is unique and never null.
/// Empty if there are none: then sending a row twice would double it.
pub fn identity(table: &TablePlan) -> Vec<usize> {
    if !table.key.is_empty() {
        return table.key.clone();
    }
    let unique = |column: &ColumnPlan| column.unique && !column.nullable();
    table.columns.iter().position(unique).into_iter().collect()
}

/// What holds for rows whose answer is lost, for [`Explanation::notes`](crate::Explanation::notes).
pub fn replay_note(table: &TablePlan) -> String {
    let note = if identity(table).is_empty() {
        "without a key, rows whose answer is lost are booked as unknown"
    } else {
        "after a lost answer the payload is sent again: the key keeps one copy of each row"
    };
    note.to_owned()
}

/// The column's type in the database's own words, where the schema gives one (`ddl: {postgres: …}`).
pub fn own_type<'a>(column: &'a ColumnPlan, database: &str) -> Option<&'a str> {
    column.ddl.iter().find(|(name, _)| name == database).map(|(_, words)| words.as_str())
}

/// What stands behind `CREATE TABLE name`: columns, constraints and key, in their brackets. `words` is a column's type and
/// whatever belongs to it.
pub fn definitions(
    table: &TablePlan,
    names: &Names,
    words: impl Fn(&ColumnPlan) -> String,
) -> String {
    let column = |column: &ColumnPlan| {
        let null = if column.nullable() { "" } else { " NOT NULL" };
        let unique = if column.unique { " UNIQUE" } else { "" };
        format!("{} {}{null}{unique}", (names.quote)(&column.name), words(column))
    };
    let mut parts: Vec<String> = table.columns.iter().map(column).collect();
    if !table.key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", names.places(table, &table.key)));
    }
    format!("(\n  {}\n)", parts.join(",\n  "))
}

/// The statement that answers one row if the table, given by its quoted name, has any.
pub fn any_row(name: &str) -> String {
    format!("SELECT 1 FROM {name} LIMIT 1")
}

/// [`PrepareMode::Create`] found rows.
pub fn has_rows(name: &str) -> SinkError {
    let message =
        format!("table {name} has rows: --table-mode append adds to them, recreate drops them");
    SinkError::fatal("table has rows", message)
}

/// All statements of a preparation and its finish, in order, for [`Explanation::ddl`](crate::Explanation::ddl).
pub fn statements(
    prepare: &Prepare,
    drop: String,
    create: String,
    indexes: impl IntoIterator<Item = String>,
) -> Vec<String> {
    let mut ddl = Vec::new();
    if prepare.mode == PrepareMode::Recreate {
        ddl.push(drop);
    }
    ddl.push(create);
    if prepare.indexes != IndexTime::None {
        ddl.extend(indexes);
    }
    ddl
}

#[cfg(test)]
mod tests {
    use super::super::{Case, NameLimit};
    use super::*;
    use crate::testing::document as plan;

    #[test]
    fn a_definition_names_constraints_and_the_key_last() {
        let names = Names {
            database: "a test",
            quote: |name| format!("<{name}>"),
            limit: NameLimit::Bytes(9),
            case: Case::Told,
        };
        let table = plan(
            r#"{"version":1,"tables":{"t":{"key":["a","b"],"columns":{
                "a":{"type":"bigint","gen":"sequence"},
                "b":{"type":"text","gen":{"template":"{a}"},"unique":true,"ddl":{"postgres":"citext"}},
                "c":{"type":"int","gen":{"uniform":[0,9]},"nulls":0.5}}}}}"#,
        );
        let words = |column: &ColumnPlan| {
            own_type(column, "postgres").map_or_else(|| column.data_type.to_string(), str::to_owned)
        };
        assert_eq!(
            definitions(&table, &names, words),
            "(\n  <a> bigint NOT NULL,\n  <b> citext NOT NULL UNIQUE,\n  <c> int,\n  PRIMARY KEY (<a>, <b>)\n)"
        );
        assert_eq!(identity(&table), [0, 1]);
    }

    #[test]
    fn without_a_key_a_unique_column_without_nulls_keeps_rows_apart() {
        let table = |nulls: &str| {
            plan(&format!(
                r#"{{"version":1,"tables":{{"t":{{"columns":{{
                    "a":{{"type":"int","gen":{{"uniform":[0,9]}}}},
                    "b":{{"type":"bigint","gen":"sequence","unique":true{nulls}}}}}}}}}}}"#
            ))
        };
        assert_eq!(identity(&table("")), [1]);
        assert!(replay_note(&table("")).contains("sent again"));
        assert!(identity(&table(r#","nulls":0.1"#)).is_empty());
        assert!(replay_note(&table(r#","nulls":0.1"#)).contains("unknown"));
    }
}
