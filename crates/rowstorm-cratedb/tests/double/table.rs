//! Tables: types, casts, rows, and what a shard refuses.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::parse::{Create, Name};
use super::{Done, Refused, touched};

/// Lucene's longest term.
const TERM_BYTES_MAX: usize = 32_766;

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) tables: BTreeMap<Name, Table>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) key: Vec<String>,
    pub(super) shards: u64,
    pub(super) replicas: String,
    pub(super) rows: Vec<Vec<Value>>,
    /// The rows as readers see them who do not look for whole keys.
    pub(super) refreshed: Vec<Vec<Value>>,
    is_refreshed: bool,
    /// Where the row of a key is.
    places: HashMap<String, usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: Type,
    pub(super) is_nullable: bool,
    pub(super) is_indexed: bool,
    /// The unit and the column of `date_trunc`.
    pub(super) generated: Option<(String, String)>,
}

#[derive(Debug, Clone)]
pub(super) enum Type {
    Bool,
    Small,
    Int,
    Big,
    Real,
    Double,
    Numeric(u32, u32),
    Text(Option<usize>),
    Timestamp,
    Object(Policy, Vec<Column>),
    Array(Box<Type>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Dynamic,
    Strict,
    Ignored,
}

impl Column {
    pub(super) fn new(name: String, data_type: Type) -> Column {
        Column { name, data_type, is_nullable: true, is_indexed: true, generated: None }
    }
}

impl Store {
    pub(super) fn table(&self, name: &Name) -> Done<&Table> {
        self.tables.get(name).ok_or_else(|| unknown(name))
    }

    pub(super) fn table_mut(&mut self, name: &Name) -> Done<&mut Table> {
        self.tables.get_mut(name).ok_or_else(|| unknown(name))
    }

    pub(super) fn create(&mut self, create: Create) -> Done<String> {
        let Create { name, if_not_exists, mut columns, mut key, shards, partitioned_by, replicas } =
            create;
        check_relation(&name)?;
        columns.iter().try_for_each(check_column)?;
        if self.tables.contains_key(&name) {
            let message =
                format!("RelationAlreadyExists[Relation '{}.{}' already exists.]", name.0, name.1);
            return if if_not_exists {
                Ok(touched(0))
            } else {
                Err(Refused::new(409, 4093, message))
            };
        }
        let is_there = |column: &String| columns.iter().any(|it| it.name == *column);
        if !key.iter().chain(&partitioned_by).all(is_there) {
            return Err(Refused::new(404, 4043, "ColumnUnknownException[Column unknown]"));
        }
        if !key.is_empty() && !partitioned_by.iter().all(|column| key.contains(column)) {
            return Err(Refused::parse(
                "SQLParseException[Cannot use non primary key column in PARTITIONED BY clause if primary key is set on table]",
            ));
        }
        for column in &mut columns {
            column.is_nullable &= !key.contains(&column.name);
        }
        key.shrink_to_fit();
        let table = Table {
            columns,
            key,
            shards: shards.unwrap_or(4),
            replicas: replicas.unwrap_or_else(|| "0-1".to_owned()),
            rows: Vec::new(),
            refreshed: Vec::new(),
            is_refreshed: true,
            places: HashMap::new(),
        };
        self.tables.insert(name, table);
        Ok(touched(1))
    }

    pub(super) fn drop(&mut self, name: &Name, if_exists: bool) -> Done<String> {
        match self.tables.remove(name) {
            Some(_) => Ok(touched(1)),
            None if if_exists => Ok(touched(0)),
            None => Err(unknown(name)),
        }
    }

    /// A DELETE of all rows finds them as readers do.
    pub(super) fn empty(&mut self, name: &Name) -> Done<String> {
        let table = self.table_mut(name)?;
        if !table.is_refreshed {
            return Err(Refused::new(400, 4004, "this double empties tables that are refreshed"));
        }
        let rows = table.rows.len() as u64;
        table.rows.clear();
        table.places.clear();
        table.is_refreshed = false;
        Ok(touched(rows))
    }

    pub(super) fn add_column(&mut self, name: &Name, column: Column) -> Done<String> {
        let table = self.table_mut(name)?;
        table.columns.push(column);
        let rows = table.rows.iter_mut().chain(&mut table.refreshed);
        rows.for_each(|row| row.push(Value::Null));
        Ok(touched(0))
    }

    pub(super) fn refresh(&mut self, name: &Name) -> Done<String> {
        let table = self.table_mut(name)?;
        if !table.is_refreshed {
            table.refreshed.clone_from(&table.rows);
            table.is_refreshed = true;
        }
        Ok(touched(1))
    }
}

fn unknown((schema, name): &Name) -> Refused {
    Refused::new(404, 4041, format!("RelationUnknown[Relation '{schema}.{name}' unknown]"))
}

fn check_relation((schema, name): &Name) -> Done<()> {
    let refuse = |why: &str| {
        Err(Refused::new(
            400,
            4002,
            format!("InvalidRelationName[Relation name '{schema}.{name}' is invalid. {why}]"),
        ))
    };
    if name.is_empty() || name.contains(['\\', ' ', '"', '<', '*', '?', '>', '|', ',', '/']) {
        return refuse(
            "Must not contain the following characters [\\,  , \", <, *, ?, >, |, ,, /]",
        );
    }
    if name.contains(['.', '#']) || schema.len() + name.len() + 1 > 255 {
        return refuse("Name can't contain '.' or '#', or is too long");
    }
    Ok(())
}

fn check_column(column: &Column) -> Done<()> {
    let name = &column.name;
    let is_system = name.strip_prefix('_').is_some_and(|rest| {
        rest.split('_').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
    });
    if name.contains(['.', '[', '\t', '\n', '\r']) || is_system {
        let message = format!("InvalidColumnNameException[\"{name}\" is no name]");
        return Err(Refused::new(400, 4008, message));
    }
    match &column.data_type {
        Type::Object(_, fields) => fields.iter().try_for_each(check_column),
        Type::Numeric(precision @ 39.., _) => {
            let message =
                format!("UnsupportedFeatureException[NUMERIC({precision}) has no storage]");
            Err(Refused::new(400, 4004, message))
        }
        _ => Ok(()),
    }
}

impl Type {
    /// What the coordinating node makes of a value: the wrong kind fails the whole request there.
    pub(super) fn cast(&self, value: Value) -> Done<Value> {
        let wrong = |value: &Value| {
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Refused::parse(format!(
                "SQLParseException[Cannot cast value `{shown}` to type `{}`]",
                self.name()
            ))
        };
        if value.is_null() {
            return Ok(value);
        }
        let whole = |low: i64, high: i64| {
            let number = match &value {
                Value::Number(number) => number.as_i64().or(number.as_f64().map(|it| it as i64)),
                Value::String(text) => text.parse().ok(),
                _ => None,
            };
            number
                .filter(|number| (low..=high).contains(number))
                .map(Value::from)
                .ok_or_else(|| wrong(&value))
        };
        match self {
            Type::Bool => value.is_boolean().then_some(value.clone()).ok_or_else(|| wrong(&value)),
            Type::Small => whole(i16::MIN.into(), i16::MAX.into()),
            Type::Int => whole(i32::MIN.into(), i32::MAX.into()),
            Type::Big | Type::Timestamp => whole(i64::MIN, i64::MAX),
            Type::Real | Type::Double => self.float(&value).ok_or_else(|| wrong(&value)),
            Type::Numeric(precision, scale) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                numeric(&text, *precision, *scale).map(Value::String).ok_or_else(|| wrong(&value))
            }
            Type::Text(_) => Ok(match value {
                Value::String(_) => value,
                Value::Array(_) => return Err(wrong(&value)),
                other => Value::String(other.to_string()),
            }),
            Type::Object(..) => {
                value.is_object().then_some(value.clone()).ok_or_else(|| wrong(&value))
            }
            Type::Array(item) => match value {
                Value::Array(items) => items
                    .into_iter()
                    .map(|value| item.cast(value))
                    .collect::<Done<Vec<_>>>()
                    .map(Value::Array),
                other => Err(wrong(&other)),
            },
        }
    }

    fn float(&self, value: &Value) -> Option<Value> {
        if let Some(word @ ("NaN" | "Infinity" | "-Infinity")) = value.as_str() {
            return Some(word.into());
        }
        let number: f64 = match value {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.parse().ok()?,
            _ => return None,
        };
        match self {
            Type::Real if number.abs() > f64::from(f32::MAX) => None,
            Type::Real => Some(f64::from(number as f32).into()),
            _ => Some(number.into()),
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Type::Bool => "boolean".to_owned(),
            Type::Small => "smallint".to_owned(),
            Type::Int => "integer".to_owned(),
            Type::Big => "bigint".to_owned(),
            Type::Real => "real".to_owned(),
            Type::Double => "double precision".to_owned(),
            Type::Numeric(..) => "numeric".to_owned(),
            Type::Text(_) => "text".to_owned(),
            Type::Timestamp => "timestamp with time zone".to_owned(),
            Type::Object(..) => "object".to_owned(),
            Type::Array(item) => format!("{}_array", item.name()),
        }
    }
}

/// A decimal with all digits of its scale, rounded half up; `None` if it is none, or has too many digits before the point.
fn numeric(text: &str, precision: u32, scale: u32) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let scale = scale as usize;
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(scale).collect();
    let mut unscaled: i128 = format!("{whole}{kept}").parse().ok()?;
    unscaled += i128::from(fraction.as_bytes().get(scale).is_some_and(|digit| *digit >= b'5'));
    if precision <= 38 && unscaled >= 10_i128.pow(precision) {
        return None;
    }
    let padded = format!("{unscaled:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let sign = if unscaled == 0 { "" } else { sign };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

impl Table {
    /// A row's key as text; `None` where the table has none.
    pub(super) fn key_of(&self, row: &[Value]) -> Option<String> {
        if self.key.is_empty() {
            return None;
        }
        let part = |name: &String| {
            let place = self.columns.iter().position(|column| column.name == *name);
            place.map_or_else(String::new, |place| row[place].to_string())
        };
        Some(self.key.iter().map(part).collect::<Vec<_>>().join("\u{1}"))
    }

    /// What a shard finds wrong with a row that was cast, and what it makes of it.
    pub(super) fn store(&mut self, mut row: Vec<Value>) -> Done<()> {
        self.check(&mut row)?;
        if let Some(key) = self.key_of(&row)
            && self.places.insert(key.clone(), self.rows.len()).is_some_and(|old| {
                self.places.insert(key, old);
                true
            })
        {
            let message =
                "DuplicateKeyException[A document with the same primary key exists already]";
            return Err(Refused::new(409, 4091, message));
        }
        self.rows.push(row);
        self.is_refreshed = false;
        Ok(())
    }

    /// Sets some columns of the row with this key, or (`None`) takes it away; how many rows there were.
    pub(super) fn change(
        &mut self,
        wanted: &[Value],
        values: Option<Vec<(usize, Value)>>,
    ) -> Done<u64> {
        let key = self.key_of(wanted).unwrap_or_default();
        let Some(&place) = self.places.get(&key) else { return Ok(0) };
        if let Some(values) = values {
            let mut row = self.rows[place].clone();
            for (column, value) in values {
                row[column] = value;
            }
            self.check(&mut row)?;
            self.rows[place] = row;
        } else {
            self.places.remove(&key);
            self.rows.swap_remove(place);
            if let Some(moved) = self.rows.get(place).and_then(|row| self.key_of(row)) {
                self.places.insert(moved, place);
            }
        }
        self.is_refreshed = false;
        Ok(1)
    }

    fn check(&mut self, row: &mut [Value]) -> Done<()> {
        for (column, value) in self.columns.iter_mut().zip(row) {
            if value.is_null() && !column.is_nullable {
                return Err(Refused::parse(format!(
                    "SQLParseException[\"{}\" must not be null]",
                    column.name
                )));
            }
            check_value(column, value)?;
        }
        Ok(())
    }
}

fn check_value(column: &mut Column, value: &mut Value) -> Done<()> {
    match (&mut column.data_type, value) {
        (Type::Big, Value::Number(number)) => {
            if matches!(number.as_i64(), Some(i64::MIN | i64::MAX)) {
                let message = format!(
                    "SQLParseException[Value {number} exceeds allowed range for column of type bigint]"
                );
                return Err(Refused::parse(message));
            }
        }
        (Type::Text(limit), Value::String(text)) => {
            let units = text.encode_utf16().count();
            if let Some(limit) = limit.filter(|limit| units > *limit) {
                let message = format!(
                    "SQLParseException['{text}' is too long for the text type of length: {limit}]"
                );
                return Err(Refused::parse(message));
            }
            if column.is_indexed && text.len() > TERM_BYTES_MAX {
                return Err(Refused::parse(
                    "SQLParseException[Document contains at least one immense term]",
                ));
            }
        }
        (Type::Object(policy, fields), Value::Object(object)) => {
            check_fields(*policy, fields, object, &column.name)?;
        }
        _ => {}
    }
    Ok(())
}

/// Unknown fields are refused, kept, or become columns.
fn check_fields(
    policy: Policy,
    fields: &mut Vec<Column>,
    object: &mut Map<String, Value>,
    name: &str,
) -> Done<()> {
    for (key, value) in object {
        if let Some(field) = fields.iter_mut().find(|field| field.name == *key) {
            *value = field.data_type.cast(value.take())?;
            check_value(field, value)?;
            continue;
        }
        match policy {
            Policy::Ignored => {}
            Policy::Strict => {
                let message = format!(
                    "SQLParseException[Cannot add column `{key}` to strict object `{name}`]"
                );
                return Err(Refused::parse(message));
            }
            Policy::Dynamic => {
                let Some(data_type) = guessed(value) else { continue };
                let mut field = Column::new(key.clone(), data_type);
                check_column(&field)?;
                check_value(&mut field, value)?;
                fields.push(field);
            }
        }
    }
    Ok(())
}

/// The type of a column that appears with this value; nulls make none.
fn guessed(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Type::Bool,
        Value::Number(number) if number.is_f64() => Type::Double,
        Value::Number(_) => Type::Big,
        Value::String(_) => Type::Text(None),
        Value::Array(items) => Type::Array(Box::new(items.iter().find_map(guessed)?)),
        Value::Object(_) => Type::Object(Policy::Dynamic, Vec::new()),
    })
}
