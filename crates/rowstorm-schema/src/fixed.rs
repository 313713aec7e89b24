//! Columns whose values stay as long as the row: an update cannot set them.
//!
//! An update draws its columns anew. That makes no sense where a value says which row it is, or counts rows, or where
//! others rely on it. Checking and generating agree because both ask here.

use std::collections::HashMap;
use std::fmt;

use crate::{Column, DataType, Generator, Per, RefSpec, Schema, Table, Template, TemplatePart};

/// Why a column's value never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fixed {
    /// It is in the key.
    Key,
    /// It counts rows or ticks.
    Counts(&'static str),
    /// It is unique because its range is dealt out among the rows.
    Dealt,
    /// It is drawn once for each series.
    Series,
    /// This column refers to it: `orders.customer_id`.
    Referred(String),
    /// A column that is fixed itself reads it.
    ReadBy(String),
    /// All that it shows is fixed.
    Same,
}

impl fmt::Display for Fixed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fixed::Key => out.write_str("is in the key, which never changes"),
            Fixed::Counts(generator) => write!(out, "counts rows (`{generator}`)"),
            Fixed::Dealt => out.write_str("is unique in a range that is dealt out among the rows"),
            Fixed::Series => out.write_str("belongs to its series"),
            Fixed::Referred(by) => write!(out, "is what `{by}` refers to"),
            Fixed::ReadBy(by) => write!(out, "is read by `{by}`, which never changes"),
            Fixed::Same => out.write_str("would be the same again"),
        }
    }
}

impl Schema {
    /// The columns of a table that no update can set, and why.
    ///
    /// ```
    /// use rowstorm_schema::{Fixed, Format, Schema};
    ///
    /// let yaml = "
    /// version: 1
    /// tables:
    ///   t:
    ///     key: [id]
    ///     columns:
    ///       id:   { type: bigint, gen: sequence }
    ///       name: { type: text, gen: { fake: name } }
    ///       mail: { type: text, gen: { template: '{id}@example.org' } }
    /// ";
    /// let schema = Schema::parse(yaml, Format::Yaml, "t.yaml")?;
    /// let fixed = schema.fixed("t");
    /// assert_eq!(fixed["id"], Fixed::Key);
    /// assert_eq!(fixed["mail"], Fixed::Same);
    /// assert!(!fixed.contains_key("name"));
    /// # Ok::<(), rowstorm_schema::Invalid>(())
    /// ```
    pub fn fixed(&self, name: &str) -> HashMap<&str, Fixed> {
        let Some((name, table)) = self.tables.get_key_value(name) else { return HashMap::new() };
        let mut fixed: HashMap<&str, Fixed> = HashMap::new();
        for column in table.all_columns() {
            let why = match column.origin {
                crate::Origin::Level(_) => Some(Fixed::Series),
                crate::Origin::Declared(declared) => by_rule(declared),
            };
            let why = if table.key.iter().any(|key| key == column.name) {
                Some(Fixed::Key)
            } else {
                why.or_else(|| referred(self, name, table, column.name).map(Fixed::Referred))
            };
            fixed.extend(why.map(|why| (column.name, why)));
        }
        spread(table, &mut fixed);
        for (column, declared) in &table.columns {
            if !fixed.contains_key(column.as_str()) && is_same(declared, &fixed) {
                fixed.insert(column, Fixed::Same);
            }
        }
        fixed
    }
}

/// Why the column's own rule cannot draw anew.
fn by_rule(column: &Column) -> Option<Fixed> {
    if column.per == Per::Series {
        return Some(Fixed::Series);
    }
    if column.unique
        && matches!(column.generator, Generator::Uniform(_))
        && matches!(column.data_type, DataType::Int(_))
    {
        return Some(Fixed::Dealt);
    }
    counts(&column.generator, Depth::Column).map(Fixed::Counts)
}

/// Whether a generator is a column's own, or stands in an object or an array.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Column,
    Inside,
}

/// The generator that counts rows or ticks, however deep inside.
fn counts(generator: &Generator, depth: Depth) -> Option<&'static str> {
    match generator {
        Generator::Sequence(_)
        | Generator::Clock(_)
        | Generator::UuidV7(_)
        | Generator::Walk(_) => Some(generator.name()),
        // A row is in one state; inside an object nobody knows in which.
        Generator::States(_) if depth == Depth::Inside => Some(generator.name()),
        // A column's own template is put together from its parts; inside, it knows one row number only.
        Generator::Template(text) if depth == Depth::Inside => {
            let template: Template = text.parse().ok()?;
            let reads = template.parts.iter().any(|part| match part {
                TemplatePart::Column(_) | TemplatePart::Row | TemplatePart::Series => true,
                TemplatePart::Text(_) | TemplatePart::Range { .. } => false,
            });
            reads.then(|| generator.name())
        }
        Generator::Object(fields) => {
            fields.values().find_map(|field| counts(&field.generator, Depth::Inside))
        }
        Generator::Array(spec) => counts(&spec.generator, Depth::Inside),
        Generator::Template(_)
        | Generator::States(_)
        | Generator::Uniform(_)
        | Generator::Normal(_)
        | Generator::LogNormal(_)
        | Generator::Exponential { .. }
        | Generator::Zipf(_)
        | Generator::OneOf(_)
        | Generator::Text(_)
        | Generator::Fake(_)
        | Generator::Now
        | Generator::Constant(_)
        | Generator::UuidV4
        | Generator::Ref(_) => None,
    }
}

/// A column that refers to this one: `orders.customer_id`.
fn referred(schema: &Schema, parent: &str, table: &Table, column: &str) -> Option<String> {
    schema.references(parent).into_iter().find_map(|reference| {
        let is_hit = match reference.spec.column.as_deref() {
            Some(at) => at == column,
            None => table.key.iter().any(|key| key == column),
        };
        is_hit.then(|| format!("{}.{}", reference.table, reference.column))
    })
}

/// A column that refers to a table.
pub(crate) struct Reference<'a> {
    pub(crate) table: &'a str,
    pub(crate) column: &'a str,
    spec: &'a RefSpec,
}

impl Schema {
    /// All columns that refer to a table, also from inside objects and arrays.
    pub(crate) fn references(&self, parent: &str) -> Vec<Reference<'_>> {
        let mut found = Vec::new();
        for (table, spec) in &self.tables {
            for (column, declared) in &spec.columns {
                each(&declared.generator, &mut |generator| {
                    if let Generator::Ref(spec) = generator
                        && spec.table == parent
                    {
                        found.push(Reference { table, column, spec });
                    }
                });
            }
        }
        found
    }
}

/// Calls `visit` with a generator and all generators inside it.
fn each<'a>(generator: &'a Generator, visit: &mut dyn FnMut(&'a Generator)) {
    visit(generator);
    match generator {
        Generator::Object(fields) => {
            fields.values().for_each(|field| each(&field.generator, visit));
        }
        Generator::Array(spec) => each(&spec.generator, visit),
        Generator::Sequence(_)
        | Generator::Uniform(_)
        | Generator::Normal(_)
        | Generator::LogNormal(_)
        | Generator::Exponential { .. }
        | Generator::Zipf(_)
        | Generator::OneOf(_)
        | Generator::Template(_)
        | Generator::States(_)
        | Generator::Text(_)
        | Generator::Fake(_)
        | Generator::Clock(_)
        | Generator::Now
        | Generator::Constant(_)
        | Generator::UuidV4
        | Generator::UuidV7(_)
        | Generator::Ref(_)
        | Generator::Walk(_) => {}
    }
}

/// What a fixed column's template reads is fixed, too.
fn spread<'a>(table: &'a Table, fixed: &mut HashMap<&'a str, Fixed>) {
    loop {
        let mut found = None;
        for (name, column) in &table.columns {
            if !fixed.contains_key(name.as_str()) {
                continue;
            }
            let mut read = Vec::new();
            templates(&column.generator, &mut read);
            for source in read {
                let source = table.columns.get_key_value(source.as_str());
                if let Some((source, _)) = source
                    && !fixed.contains_key(source.as_str())
                {
                    found = Some((source.as_str(), Fixed::ReadBy(name.clone())));
                }
            }
        }
        let Some((name, why)) = found else { return };
        fixed.insert(name, why);
    }
}

/// The columns that a generator's templates read.
fn templates(generator: &Generator, found: &mut Vec<String>) {
    each(generator, &mut |generator| {
        if let Generator::Template(text) = generator {
            let template: Result<Template, _> = text.parse();
            found.extend(template.iter().flat_map(Template::columns).map(str::to_owned));
        }
    });
}

/// Whether a column that could draw anew has nothing to draw.
fn is_same(column: &Column, fixed: &HashMap<&str, Fixed>) -> bool {
    let is_same = if let Generator::Template(text) = &column.generator {
        text.parse::<Template>().is_ok_and(|template| {
            template.parts.iter().all(|part| match part {
                TemplatePart::Text(_) | TemplatePart::Row | TemplatePart::Series => true,
                TemplatePart::Range { .. } => false,
                TemplatePart::Column(name) => fixed.contains_key(name.as_str()),
            })
        })
    } else {
        matches!(column.generator, Generator::Constant(_))
    };
    is_same && column.nulls == 0.0
}
