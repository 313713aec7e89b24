//! From the document to rules: every column becomes a stream, a fill and a way to be stored.

mod column;
mod fingerprint;
mod generator;
mod literal;
mod numbers;
mod order;
mod share;

use std::collections::HashMap;
use std::sync::Arc;

use rowstorm_schema::{DataType, Origin, Schema, Table};

pub(crate) use fingerprint::Hash;
pub(crate) use generator::{machine, template_parts};
pub(crate) use literal::integer;

use crate::rule::Rule;
use crate::{ColumnPlan, Fill, PlanError, PlanOptions, Storage, Stream, TablePlan};

/// Another's fill for one column.
#[derive(Debug, Clone)]
pub(crate) struct Custom {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) fill: Arc<dyn Fill>,
}

/// The tables, parents first, and the fingerprint.
pub(crate) type Compilation = (Arc<[Arc<TablePlan>]>, u64);

/// Compiles a schema.
pub(crate) fn compile(
    schema: &Schema,
    options: &PlanOptions,
    customs: &[Custom],
) -> Result<Compilation, PlanError> {
    let rows = share::rows(schema, options.rows);
    let order = order::parents_first(schema)?;
    for custom in customs {
        let table = &schema.tables[&custom.table];
        if !table.columns.contains_key(&custom.column) {
            let names: Vec<_> = table.columns.keys().map(String::as_str).collect();
            let place = format!("tables.{}.columns.{}", custom.table, custom.column);
            return Err(invalid(
                &place,
                format!("there is no such column; there are: {}", names.join(", ")),
            ));
        }
    }
    let fingerprint = fingerprint::of(schema, options.seed, &rows, customs);
    let (done, open) = (HashMap::new(), Vec::new());
    let mut compiler = Compiler { schema, options, customs, rows, fingerprint, done, open };
    let tables = order
        .into_iter()
        .map(|name| compiler.table(name).map(Arc::new))
        .collect::<Result<Arc<[_]>, _>>()?;
    Ok((tables, fingerprint))
}

/// Compiles columns on demand: a template or a foreign key needs another column first.
pub(crate) struct Compiler<'a> {
    schema: &'a Schema,
    options: &'a PlanOptions,
    customs: &'a [Custom],
    /// The rows of each table, in the document's order.
    rows: Vec<Option<u64>>,
    /// Of the whole plan.
    fingerprint: u64,
    /// What is compiled, by table and column.
    done: HashMap<(&'a str, &'a str), Compiled>,
    /// The columns that are being compiled, to find circles.
    open: Vec<(&'a str, &'a str)>,
}

/// A column made ready.
#[derive(Debug, Clone)]
struct Compiled {
    data_type: DataType,
    nulls: f64,
    rule: Rule,
    storage: Storage,
}

impl<'a> Compiler<'a> {
    fn table(&mut self, name: &'a str) -> Result<TablePlan, PlanError> {
        let (place, _, table) =
            self.schema.tables.get_full(name).expect("the order holds the schema's own names");
        let mut columns = Vec::new();
        for column in table.all_columns() {
            let compiled = self.column(name, column.name)?;
            let (unique, ddl) = match column.origin {
                Origin::Level(_) => (false, Vec::new()),
                Origin::Declared(column) => (
                    column.unique,
                    column.ddl.iter().map(|(on, words)| (on.clone(), words.clone())).collect(),
                ),
            };
            columns.push(ColumnPlan {
                name: column.name.into(),
                data_type: compiled.data_type,
                nulls: compiled.nulls,
                unique,
                storage: compiled.storage,
                ddl,
                rule: compiled.rule,
            });
        }
        let key = key_places(name, table, &columns)?;
        Ok(TablePlan {
            name: name.into(),
            columns,
            key,
            rows: self.rows[place],
            series: table.series.as_ref().map_or(0, |series| series.count),
            spec: table.clone(),
            fingerprint: self.fingerprint,
        })
    }

    /// A column of the table, compiled once.
    fn column(&mut self, table: &'a str, column: &str) -> Result<Compiled, PlanError> {
        let place = format!("tables.{table}.columns.{column}");
        let spec = &self.schema.tables[table];
        let Some(found) = spec.all_columns().into_iter().find(|found| found.name == column) else {
            return Err(invalid(&place, "there is no such column".to_owned()));
        };
        let column = found.name;
        if let Some(compiled) = self.done.get(&(table, column)) {
            return Ok(compiled.clone());
        }
        if self.open.contains(&(table, column)) {
            let way: Vec<_> =
                self.open.iter().map(|(table, name)| format!("{table}.{name}")).collect();
            return Err(invalid(
                &place,
                format!("the columns read each other: {} → {table}.{column}", way.join(" → ")),
            ));
        }
        self.open.push((table, column));
        let stream = Stream::new(self.options.seed).named(table).named(column);
        let compiled = match found.origin {
            Origin::Level(rule) => self.level(table, rule, stream),
            Origin::Declared(declared) => self.declared(table, column, declared, stream),
        }?;
        self.open.pop();
        self.done.insert((table, column), compiled.clone());
        Ok(compiled)
    }

    fn rows_of(&self, table: &str) -> Option<u64> {
        self.schema.tables.get_index_of(table).and_then(|place| self.rows[place])
    }
}

fn key_places(name: &str, table: &Table, columns: &[ColumnPlan]) -> Result<Vec<usize>, PlanError> {
    let find = |key: &String| {
        columns.iter().position(|column| *column.name == **key).ok_or_else(|| {
            invalid(&format!("tables.{name}.key"), format!("there is no column `{key}`"))
        })
    };
    table.key.iter().map(find).collect()
}

pub(crate) fn invalid(place: &str, problem: impl Into<String>) -> PlanError {
    PlanError::Invalid { place: place.to_owned(), problem: problem.into() }
}
