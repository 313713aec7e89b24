//! SELECT: conditions, aggregates, distinct groups, order, limit.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::{Value, json};

use super::parse::{Expr, From, Select};
use super::table::{Store, Type};
use super::{Done, Refused, catalogue};

/// What a statement can see.
pub(super) struct World<'a> {
    pub(super) store: &'a Store,
    pub(super) rejected: u64,
    pub(super) version: &'static str,
    pub(super) args: &'a [Value],
}

/// Rows with names, and the columns whose values are decimals.
struct Relation {
    names: Vec<String>,
    decimals: HashSet<String>,
    rows: Vec<Vec<Value>>,
}

pub(super) fn answer(world: &World<'_>, select: &Select) -> Done<String> {
    let Relation { names, decimals, rows } = run(world, select)?;
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&names).map(|(cell, name)| match cell {
            // A decimal's digits are printed as a number.
            Value::String(digits) if decimals.contains(name) => digits.clone(),
            other => other.to_string(),
        });
        format!("[{}]", cells.collect::<Vec<_>>().join(","))
    });
    let lines = lines.collect::<Vec<_>>().join(",");
    Ok(format!(
        "{{\"cols\":{},\"rows\":[{lines}],\"rowcount\":{},\"duration\":1.5}}",
        json!(names),
        rows.len()
    ))
}

fn run(world: &World<'_>, select: &Select) -> Done<Relation> {
    let source = source(world, select)?;
    let mut rows = Vec::new();
    for row in &source.rows {
        let keeps = match &select.condition {
            Some(condition) => {
                Row { world, source: &source, cells: row }.value(condition)? == Value::Bool(true)
            }
            None => true,
        };
        if keeps {
            rows.push(row);
        }
    }
    for expr in select.order.iter().rev() {
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows {
            keyed.push((Row { world, source: &source, cells: row }.value(expr)?, row));
        }
        keyed.sort_by(|one, other| compare(&one.0, &other.0).unwrap_or(Ordering::Equal));
        rows = keyed.into_iter().map(|(_, row)| row).collect();
    }
    let names: Vec<String> = select.items.iter().map(name).collect();
    let mut made: Vec<Vec<Value>> = Vec::new();
    if select.items.iter().any(is_aggregate) {
        if !select.group.is_empty() {
            return Err(Refused::new(
                400,
                4004,
                "UnsupportedFeatureException[this double does not count groups]",
            ));
        }
        let cells = select.items.iter().map(|item| aggregate(world, &source, &rows, item));
        made.push(cells.collect::<Done<_>>()?);
    } else {
        let mut seen = HashSet::new();
        for row in rows {
            let row = Row { world, source: &source, cells: row };
            let cells: Vec<Value> =
                select.items.iter().map(|item| row.value(item)).collect::<Done<_>>()?;
            if select.group.is_empty() || seen.insert(Value::from(cells.clone()).to_string()) {
                made.push(cells);
            }
        }
    }
    made.drain(..select.offset.min(made.len()));
    made.truncate(select.limit.unwrap_or(usize::MAX));
    Ok(Relation { names, decimals: source.decimals, rows: made })
}

fn source(world: &World<'_>, select: &Select) -> Done<Relation> {
    let none = HashSet::new();
    match &select.from {
        From::Nothing => Ok(Relation { names: Vec::new(), decimals: none, rows: vec![Vec::new()] }),
        From::Subquery(select) => run(world, select),
        From::Relation(name) => {
            if let Some((names, rows)) = catalogue::relation(world, name) {
                let names = names.into_iter().map(str::to_owned).collect();
                return Ok(Relation { names, decimals: none, rows });
            }
            let table = world.store.table(name)?;
            let is_decimal = |data_type: &Type| matches!(data_type, Type::Numeric(..));
            let decimals = table.columns.iter().filter(|column| is_decimal(&column.data_type));
            Ok(Relation {
                names: table.columns.iter().map(|column| column.name.clone()).collect(),
                decimals: decimals.map(|column| column.name.clone()).collect(),
                // What was not refreshed is not seen, but by whole keys.
                rows: if select.condition.as_ref().is_some_and(|it| is_by_keys(it, &table.key)) {
                    table.rows.clone()
                } else {
                    table.refreshed.clone()
                },
            })
        }
    }
}

/// Whether a condition names whole keys and nothing else.
fn is_by_keys(condition: &Expr, key: &[String]) -> bool {
    fn equal(expr: &Expr, columns: &mut Vec<String>) -> bool {
        match expr {
            Expr::And(one, other) => equal(one, columns) && equal(other, columns),
            Expr::Same(column, _) => match &**column {
                Expr::Column(name) => {
                    columns.push(name.clone());
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }
    match condition {
        Expr::Or(one, other) => is_by_keys(one, key) && is_by_keys(other, key),
        one => {
            let mut columns = Vec::new();
            !key.is_empty()
                && equal(one, &mut columns)
                && columns.len() == key.len()
                && key.iter().all(|name| columns.contains(name))
        }
    }
}

/// What an answer calls a value.
fn name(expr: &Expr) -> String {
    match expr {
        Expr::Column(name) | Expr::Call(name, _) => name.clone(),
        other => format!("{other:?}"),
    }
}

fn is_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Call(name, _) => matches!(&**name, "count" | "sum" | "min" | "max"),
        Expr::Cast(inner, _) | Expr::Field(inner, _) => is_aggregate(inner),
        _ => false,
    }
}

fn aggregate(
    world: &World<'_>,
    source: &Relation,
    rows: &[&Vec<Value>],
    expr: &Expr,
) -> Done<Value> {
    match expr {
        Expr::Cast(inner, data_type) => {
            converted(aggregate(world, source, rows, inner)?, data_type)
        }
        Expr::Call(function, arguments) => {
            let argument = arguments.first().unwrap_or(&Expr::Star);
            if function == "count" && matches!(argument, Expr::Star) {
                return Ok(rows.len().into());
            }
            let mut values = Vec::new();
            for row in rows {
                let value = Row { world, source, cells: row }.value(argument)?;
                if !value.is_null() {
                    values.push(value);
                }
            }
            fold(function, values, matches!(argument, Expr::Cast(_, Type::Numeric(..))))
        }
        _ => Err(Refused::new(
            400,
            4004,
            "UnsupportedFeatureException[this double does not mix rows and counts]",
        )),
    }
}

fn fold(function: &str, values: Vec<Value>, is_numeric: bool) -> Done<Value> {
    match function {
        "count" => Ok(values.len().into()),
        "min" => Ok(values
            .into_iter()
            .min_by(|a, b| compare(a, b).unwrap_or(Ordering::Equal))
            .unwrap_or_default()),
        "max" => Ok(values
            .into_iter()
            .max_by(|a, b| compare(a, b).unwrap_or(Ordering::Equal))
            .unwrap_or_default()),
        _ if values.is_empty() => Ok(Value::Null),
        _ if is_numeric => {
            let digits =
                values.iter().map(|value| value.as_str().unwrap_or_default().parse::<i128>());
            let sum: Result<i128, _> = digits.sum();
            sum.map(|sum| sum.to_string().into())
                .map_err(|_| Refused::parse("SQLParseException[no numbers]"))
        }
        _ => {
            let sum = values.iter().try_fold(0_i64, |sum, value| sum.checked_add(value.as_i64()?));
            sum.map(Value::from)
                .ok_or_else(|| Refused::new(500, 5000, "ArithmeticException[long overflow]"))
        }
    }
}

/// One row, to evaluate expressions on.
struct Row<'a> {
    world: &'a World<'a>,
    source: &'a Relation,
    cells: &'a [Value],
}

impl Row<'_> {
    fn value(&self, expr: &Expr) -> Done<Value> {
        Ok(match expr {
            Expr::Star => {
                return Err(Refused::new(
                    400,
                    4004,
                    "UnsupportedFeatureException[name the columns]",
                ));
            }
            Expr::Value(value) => value.clone(),
            Expr::Parameter(number) => {
                let value = self.world.args.get(*number).cloned();
                value.ok_or_else(|| Refused::parse("SQLParseException[a parameter is missing]"))?
            }
            Expr::Column(name) => {
                let place = self.source.names.iter().position(|it| it == name);
                let place = place.ok_or_else(|| {
                    Refused::new(
                        404,
                        4043,
                        format!("ColumnUnknownException[Column {name} unknown]"),
                    )
                })?;
                self.cells[place].clone()
            }
            Expr::Call(name, _) if name == "version" => self.world.version.into(),
            Expr::Call(name, _) => {
                return Err(Refused::new(
                    400,
                    4004,
                    format!("UnsupportedFunctionException[Unknown function: {name}()]"),
                ));
            }
            Expr::Cast(inner, data_type) => converted(self.value(inner)?, data_type)?,
            Expr::Field(inner, field) => self.value(inner)?.get(field).cloned().unwrap_or_default(),
            Expr::Same(one, other) => {
                let order = compare(&self.value(one)?, &self.value(other)?);
                order.map_or(Value::Null, |order| (order == Ordering::Equal).into())
            }
            Expr::More(one, other) => {
                let order = compare(&self.value(one)?, &self.value(other)?);
                order.map_or(Value::Null, |order| (order == Ordering::Greater).into())
            }
            Expr::Between(value, low, high) => {
                let value = self.value(value)?;
                let (low, high) =
                    (compare(&value, &self.value(low)?), compare(&value, &self.value(high)?));
                match (low, high) {
                    (Some(low), Some(high)) => {
                        (low != Ordering::Less && high != Ordering::Greater).into()
                    }
                    _ => Value::Null,
                }
            }
            Expr::And(one, other) => (self.value(one)? == Value::Bool(true)
                && self.value(other)? == Value::Bool(true))
            .into(),
            Expr::Or(one, other) => (self.value(one)? == Value::Bool(true)
                || self.value(other)? == Value::Bool(true))
            .into(),
        })
    }
}

/// `::`, which is more lenient than what a column takes.
fn converted(value: Value, data_type: &Type) -> Done<Value> {
    match (data_type, value) {
        (_, Value::Null) => Ok(Value::Null),
        (Type::Text(_), Value::String(text)) => Ok(text.into()),
        (Type::Text(_), other) => Ok(other.to_string().into()),
        (Type::Numeric(..), Value::Number(number)) => Ok(number.to_string().into()),
        (data_type, value) => data_type.cast(value),
    }
}

/// `None` where one of both is null.
fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => Some(one.cmp(&other)),
            _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
        },
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (one, other) => Some(one.to_string().cmp(&other.to_string())),
    }
}
