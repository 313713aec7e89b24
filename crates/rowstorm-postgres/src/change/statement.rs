//! The SQL of a mix's statements: rows come as arrays, one for each column, and no value stands in the text.

use rowstorm_gen::changes::OpKind;
use rowstorm_sink::Statement;
use rowstorm_sink::sql::identity;

use crate::dialect::{NAMES, literal, quote, same, table_name};

/// A function takes at most 100 arguments (`FUNC_MAX_ARGS`), and the counts so far are one of them.
const ARGUMENTS_MAX: usize = 99;

/// The statement, whose arrays are numbered from `first` on. `types` are those of the columns that travel.
pub(crate) fn text(statement: &Statement, types: &[&str], first: usize) -> String {
    let (table, rows) = (table_name(&statement.table), rows(types, first));
    match statement.kind {
        OpKind::Insert => {
            let columns = NAMES.columns(&statement.table);
            format!("INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT * FROM {rows}")
        }
        OpKind::Update | OpKind::Rekey => {
            let keys = statement.keys();
            let set =
                (keys..types.len()).map(|at| format!("{} = v.c{}", column(statement, at), at + 1));
            let set = set.collect::<Vec<_>>().join(", ");
            format!("UPDATE {table} AS t SET {set} FROM {rows} WHERE {}", by_key(statement))
        }
        OpKind::Delete => {
            format!("DELETE FROM {table} AS t USING {rows} WHERE {}", by_key(statement))
        }
        OpKind::Read => {
            let columns =
                statement.table.columns.iter().map(|column| format!("t.{}", quote(&column.name)));
            let columns = columns.collect::<Vec<_>>().join(", ");
            format!("SELECT {columns} FROM {rows} JOIN {table} AS t ON {}", by_key(statement))
        }
    }
}

/// A function around the statement, for transactions that are one call: to the answers that it is given it adds how many rows were
/// touched, and behind that the rows that were read. `None` where PostgreSQL knows no function with so many arguments, and
/// for queries, which stand in no transaction.
pub(crate) fn function(statement: &Statement, types: &[&str], name: &str) -> Option<String> {
    if statement.query.is_some() || types.len() > ARGUMENTS_MAX {
        return None;
    }
    let text = text(statement, types, 2);
    let work = match statement.kind {
        OpKind::Read => format!(
            "DECLARE lines text[];
BEGIN
  lines := ARRAY(SELECT (v.*)::text FROM ({text}) AS v);
  RETURN $1 || cardinality(lines)::text || lines;
END"
        ),
        OpKind::Insert | OpKind::Update | OpKind::Rekey | OpKind::Delete => format!(
            "DECLARE touched bigint;
BEGIN
  {text};
  GET DIAGNOSTICS touched = ROW_COUNT;
  RETURN $1 || touched::text;
END"
        ),
    };
    let arguments = types.iter().map(|name| format!("{name}[]")).collect::<Vec<_>>().join(", ");
    let body = literal(&format!("\n#variable_conflict use_column\n{work}"));
    Some(format!(
        "CREATE FUNCTION {name}(text[], {arguments}) RETURNS text[] LANGUAGE plpgsql AS {body}"
    ))
}

/// The insert of a replay: how many rows it added, and how many stood there with this content.
pub(super) fn replay(mix: &[Statement], at: usize, types: &[&str]) -> Option<String> {
    let statement = &mix[at];
    let table = &statement.table;
    let key = identity(table);
    if statement.kind != OpKind::Insert || key.is_empty() {
        return None;
    }
    let (name, columns) = (table_name(table), NAMES.columns(&statement.table));
    let here = (1..=types.len()).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ");
    let found = key.iter().map(|&at| format!("t.{} = v.c{}", column(statement, at), at + 1));
    let found = found.collect::<Vec<_>>().join(" AND ");
    let alike = statement.steady(mix).into_iter().map(|at| {
        let (there, here) = (format!("t.{}", column(statement, at)), format!("v.c{}", at + 1));
        format!(" AND {}", same(&table.columns[at], &there, &here))
    });
    let alike = alike.collect::<String>();
    let rows = rows(types, 1).replacen(" AS v", " AS given", 1);
    Some(format!(
        "WITH v AS (SELECT * FROM {rows}),
  added AS (INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {here} FROM v WHERE NOT EXISTS (SELECT FROM {name} AS t WHERE {found}) RETURNING 1)
SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM v JOIN {name} AS t ON {found}{alike})"
    ))
}

fn rows(types: &[&str], first: usize) -> String {
    let arrays = types.iter().zip(first..).map(|(name, at)| format!("${at}::{name}[]"));
    let names = (1..=types.len()).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ");
    format!("UNNEST({}) AS v({names})", arrays.collect::<Vec<_>>().join(", "))
}

fn by_key(statement: &Statement) -> String {
    let each =
        (0..statement.keys()).map(|at| format!("t.{} = v.c{}", column(statement, at), at + 1));
    each.collect::<Vec<_>>().join(" AND ")
}

fn column(statement: &Statement, at: usize) -> String {
    quote(&statement.columns.columns[at].name)
}
