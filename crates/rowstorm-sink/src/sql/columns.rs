//! Comparing the columns that stand in a database with those of the plan, before rows are sent.

use rowstorm_gen::{ColumnPlan, TablePlan};

use super::Names;
use crate::SinkError;

/// A column as the catalogue tells it; `detail` is what only this database's adapter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredColumn<D = ()> {
    /// Its name.
    pub name: String,
    /// Its type as declared: "numeric(10,2)".
    pub declared: String,
    /// What else the catalogue says of it.
    pub detail: D,
}

/// Why a stored column does not take what the plan sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is of another type than what is sent.
    Type {
        /// What is sent, in the database's words.
        sent: String,
    },
    /// It is narrower than the schema's type: values would be cut off or refused.
    Narrow,
    /// It takes no nulls, and the schema's column has some.
    Null,
}

/// Refuses a table that lacks a column of the plan, or has one with a fault. Columns that only the table has are its own
/// affair.
///
/// `name` is the table's quoted name, `database` the name under which a schema's `ddl` has this database's types.
///
/// # Errors
/// Fatal, for the first such column: it says what stands there, what is sent, and what would be right.
pub fn check_columns<D>(
    names: &Names,
    (name, database): (&str, &str),
    table: &TablePlan,
    stored: &[StoredColumn<D>],
    fault: impl Fn(&ColumnPlan, &StoredColumn<D>) -> Option<Fault>,
) -> Result<(), SinkError> {
    for column in &table.columns {
        let quoted = (names.quote)(&column.name);
        let found = stored.iter().find(|stored| names.is_same(&stored.name, &column.name));
        let Some(there) = found else {
            let has: Vec<&str> = stored.iter().map(|stored| stored.name.as_str()).collect();
            let has = has.join(", ");
            let message = format!("table {name} has no column {quoted}; it has: {has}");
            return Err(SinkError::fatal("missing column", message));
        };
        let (is, wanted) = (&there.declared, column.data_type);
        let Some(fault) = fault(column, there) else { continue };
        let (class, message) = match fault {
            Fault::Type { sent } => (
                "column type",
                format!(
                    "is {is}, and the schema's `{wanted}` is sent as {sent}: give both the same type \
                     (`ddl: {{{database}: {is}}}` in the schema names another)"
                ),
            ),
            Fault::Narrow => (
                "column type",
                format!(
                    "is {is}, too narrow for the schema's `{wanted}`: widen it, or give the schema its type"
                ),
            ),
            Fault::Null => (
                "column null",
                "takes no nulls, and the schema gives it some: drop NOT NULL, or `nulls` in the schema"
                    .to_owned(),
            ),
        };
        return Err(SinkError::fatal(class, format!("column {quoted} of table {name} {message}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Case, NameLimit};
    use super::*;
    use crate::testing::document as plan;

    fn stored(name: &str, declared: &str) -> StoredColumn {
        StoredColumn { name: name.to_owned(), declared: declared.to_owned(), detail: () }
    }

    fn check(stored: &[StoredColumn], case: Case, fault: Option<&Fault>) -> Option<String> {
        let names = Names {
            database: "a test",
            quote: |name| format!("<{name}>"),
            limit: NameLimit::Bytes(9),
            case,
        };
        let table = plan(
            r#"{"version":1,"tables":{"t":{"columns":{"a":{"type":"bigint","gen":"sequence"},
                "b":{"type":"varchar(8)","gen":{"constant":"x"}}}}}}"#,
        );
        let fault = |column: &ColumnPlan, _: &StoredColumn| {
            if *column.name == *"b" { fault.cloned() } else { None }
        };
        check_columns(&names, ("<s>.<t>", "postgres"), &table, stored, fault)
            .err()
            .map(|error| error.message)
    }

    #[test]
    fn columns_that_fit_pass_in_any_order_beside_others() {
        let there = [stored("c", "date"), stored("b", "varchar(8)"), stored("A", "bigint")];
        assert_eq!(check(&there, Case::Ignored, None), None);
    }

    #[test]
    fn each_fault_says_what_stands_there_and_what_would_be_right() {
        let there = [stored("A", "bigint"), stored("b", "varchar(4)")];
        let missing = check(&there, Case::Told, None);
        assert_eq!(missing.as_deref(), Some("table <s>.<t> has no column <a>; it has: A, b"));
        for (fault, parts) in [
            (
                Fault::Type { sent: "text".into() },
                ["column <b> of table <s>.<t> is varchar(4)", "{postgres: varchar(4)}"],
            ),
            (Fault::Narrow, ["is varchar(4), too narrow", "`varchar(8)`"]),
            (Fault::Null, ["takes no nulls", "drop NOT NULL"]),
        ] {
            let message = check(&there, Case::Ignored, Some(&fault)).expect("it is refused");
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
}
