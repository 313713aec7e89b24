//! SQL for one table: all text that is sent is made here, and every name in it is quoted.

use std::fmt::Write as _;

use rowstorm_gen::schema::Generator;
use rowstorm_gen::{ColumnPlan, TablePlan};
use rowstorm_schema::DataType;
use rowstorm_sink::sql::{Case, Counting, NameLimit, Names, Sum};
use rowstorm_sink::{Prepare, PrepareMode, SinkError};

use crate::place::Method;
use crate::types::words;

/// How CrateDB writes names. A table's may be 255 bytes long, with its schema; what else it may hold, [`check_names`]
/// says.
pub(crate) const NAMES: Names =
    Names { database: "CrateDB", quote, limit: NameLimit::Bytes(255), case: Case::Told };

/// How it counts. Sums of `bigint` overflow with an error; those of `numeric` are exact.
pub(crate) const COUNTING: Counting = Counting {
    names: NAMES,
    sum: Sum::Exact(|column| format!("sum({column}::numeric)")),
    text: |expression| format!("({expression})::text"),
    // Bare, the smallest is read as a sign and a number out of range.
    literal: |value| format!("'{value}'::bigint"),
    cells_max: 300,
};

/// A name as an identifier.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The table's name, with its schema.
pub(crate) fn table_name(schema: &str, table: &TablePlan) -> String {
    format!("{}.{}", quote(schema), quote(&table.name))
}

/// How this table's rows go in: UNNEST takes arrays apart that are values, and the PostgreSQL wire has them in another form.
pub(crate) fn method(asked: Method, table: &TablePlan) -> Method {
    let has_arrays = table.columns.iter().any(|column| column.data_type == DataType::Array);
    match asked {
        Method::Unnest | Method::Postgres if has_arrays => Method::BulkArgs,
        Method::BulkArgs | Method::Unnest | Method::Postgres => asked,
    }
}

/// The statement of one payload, a row at a time.
pub(crate) fn insert(schema: &str, table: &TablePlan) -> String {
    let (name, columns) = (table_name(schema, table), NAMES.columns(table));
    format!("INSERT INTO {name} ({columns}) VALUES ({})", marks(table))
}

/// The statement of one payload, a column at a time.
pub(crate) fn insert_columns(schema: &str, table: &TablePlan) -> String {
    let (name, columns) = (table_name(schema, table), NAMES.columns(table));
    format!("INSERT INTO {name} ({columns}) (SELECT * FROM UNNEST({}))", marks(table))
}

fn marks(table: &TablePlan) -> String {
    vec!["?"; table.columns.len()].join(", ")
}

/// Makes what was written visible to readers.
pub(crate) fn refresh(schema: &str, table: &TablePlan) -> String {
    format!("REFRESH TABLE {}", table_name(schema, table))
}

/// The statement that drops the table.
pub(crate) fn drop(schema: &str, table: &TablePlan) -> String {
    format!("DROP TABLE IF EXISTS {}", table_name(schema, table))
}

/// The statement that makes the table.
pub(crate) fn create(schema: &str, table: &TablePlan) -> String {
    let partition = partition(table);
    let mut sql = format!("CREATE TABLE IF NOT EXISTS {} (", table_name(schema, table));
    for (place, column) in table.columns.iter().enumerate() {
        let _ = write!(
            sql,
            "{}\n  {} {}{}",
            if place > 0 { "," } else { "" },
            quote(&column.name),
            words(column, table),
            if column.nullable() { "" } else { " NOT NULL" },
        );
    }
    if let Some(Partition { unit, of, name }) = &partition {
        let _ = write!(
            sql,
            ",\n  {} TIMESTAMP WITH TIME ZONE GENERATED ALWAYS AS date_trunc('{unit}', {})",
            quote(name),
            quote(of)
        );
    }
    let key = key(table);
    if !key.is_empty() {
        let _ = write!(sql, ",\n  PRIMARY KEY ({})", NAMES.list(key.iter().map(String::as_str)));
    }
    sql.push_str("\n)");
    let options = table.spec.cratedb.as_ref();
    if let Some(shards) = options.and_then(|options| options.shards) {
        let _ = write!(sql, " CLUSTERED INTO {shards} SHARDS");
    }
    if let Some(partition) = &partition {
        let _ = write!(sql, " PARTITIONED BY ({})", quote(&partition.name));
    }
    if let Some(replicas) = options.and_then(|options| options.replicas.as_ref()) {
        let _ = write!(sql, " WITH (number_of_replicas = {})", literal(&replicas.to_string()));
    }
    sql
}

/// All statements of a preparation and its finish, in order.
pub(crate) fn statements(schema: &str, table: &TablePlan, prepare: &Prepare) -> Vec<String> {
    let mut ddl = Vec::new();
    if prepare.mode == PrepareMode::Recreate {
        ddl.push(drop(schema, table));
    }
    ddl.push(create(schema, table));
    ddl.push(refresh(schema, table));
    ddl
}

/// The columns of the primary key: the schema's key, and what rows are partitioned by, which has to be a part of it.
pub(crate) fn key(table: &TablePlan) -> Vec<String> {
    let mut key: Vec<String> =
        table.key.iter().map(|&place| table.columns[place].name.to_string()).collect();
    if let Some(partition) = partition(table)
        && !key.is_empty()
    {
        key.push(partition.name);
    }
    key
}

/// The generated column that rows are partitioned by.
pub(crate) struct Partition<'a> {
    /// `week`
    pub(crate) unit: &'a str,
    /// The table's clock.
    pub(crate) of: &'a str,
    /// `ts_week`
    pub(crate) name: String,
}

/// Partitions by the table's clock: the first column that runs by one, else the first timestamp.
pub(crate) fn partition(table: &TablePlan) -> Option<Partition<'_>> {
    let unit = table.spec.cratedb.as_ref()?.partition_by.as_deref()?;
    let mut instants =
        table.columns.iter().filter(|column| column.data_type == DataType::Timestamp);
    let is_clock = |column: &&ColumnPlan| {
        let spec = table.spec.columns.get(&*column.name);
        spec.is_some_and(|spec| matches!(spec.generator, Generator::Clock(_)))
    };
    let clock = instants.clone().find(is_clock).or_else(|| instants.next())?;
    Some(Partition { unit, of: &clock.name, name: format!("{}_{unit}", clock.name) })
}

/// A text as a literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Refuses names that CrateDB cannot hold. They are not changed: two of them could become the same.
pub(crate) fn check_names(schema: &str, table: &TablePlan) -> Result<(), SinkError> {
    NAMES.check(table)?;
    let refuse = |name: &str, why: &str| {
        let message = format!("the name {} does not fit CrateDB: {why}", quote(name));
        Err(SinkError::fatal("name", message))
    };
    let name = &*table.name;
    if name.contains(['\\', ' ', '"', '<', '*', '?', '>', '|', ',', '/', '.', '#']) {
        return refuse(name, "a table's holds no space and none of \\ \" < > * ? | , / . #");
    }
    if schema.len() + 1 + name.len() > 255 {
        return refuse(name, "with its schema, a table's is at most 255 bytes long");
    }
    if name.eq_ignore_ascii_case("_all") {
        return refuse(name, "it stands for all tables");
    }
    for column in &table.columns {
        check_column_name(&column.name)?;
        if is_system_column(&column.name) {
            return refuse(&column.name, "columns of the system are called like this");
        }
        if let Some(spec) = table.spec.columns.get(&*column.name) {
            check_fields(&spec.generator)?;
        }
    }
    let Some(partition) = partition(table) else { return Ok(()) };
    let clock = table.columns.iter().find(|column| *column.name == *partition.of);
    if table.columns.iter().any(|column| *column.name == *partition.name) {
        let why = "it is the generated column's that `partition_by` makes";
        return refuse(&partition.name, why);
    }
    if !table.key.is_empty() && clock.is_some_and(ColumnPlan::nullable) {
        let message = format!(
            "`partition_by` makes {} a part of the key, which has no nulls: take `nulls` away from {}",
            quote(&partition.name),
            quote(partition.of)
        );
        return Err(SinkError::fatal("partition_by", message));
    }
    Ok(())
}

fn check_column_name(name: &str) -> Result<(), SinkError> {
    if name.contains(['.', '[', '\t', '\n', '\r']) {
        let message = format!(
            "the name {} does not fit CrateDB: a column's holds no dot, no `[`, no tab and no end of line",
            quote(name)
        );
        return Err(SinkError::fatal("name", message));
    }
    Ok(())
}

/// Fields of objects are columns, too.
fn check_fields(generator: &Generator) -> Result<(), SinkError> {
    match generator {
        Generator::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            check_column_name(name)?;
            check_fields(&field.generator)
        }),
        Generator::Array(items) => check_fields(&items.generator),
        _ => Ok(()),
    }
}

/// `_name`, `_some_name`: an underscore, then lower-case words with single underscores between.
fn is_system_column(name: &str) -> bool {
    let Some(words) = name.strip_prefix('_') else { return false };
    words.split('_').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
}

/// Reads rows: each column, decimals as text.
pub(crate) fn select(schema: &str, table: &TablePlan) -> String {
    let columns = table.columns.iter().map(|column| {
        let name = quote(&column.name);
        match column.data_type {
            DataType::Decimal { .. } => format!("{name}::text"),
            _ => name,
        }
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    format!("SELECT {columns} FROM {}", table_name(schema, table))
}

#[cfg(test)]
mod tests;
