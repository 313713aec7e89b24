//! Foreign keys: parents that exist, have a key of the same type, and do not go round in a circle.

use super::Check;
use super::generator::positive;
use crate::document::Place;
use crate::{DataType, Generator, RefSpec, Schema, Skew, Table};

pub(super) fn check(check: &mut Check<'_>, data_type: DataType, spec: &RefSpec, place: &Place) {
    if let Some(Skew::Zipf(exponent)) = spec.skew {
        positive(check, exponent, &place.key("skew").key("zipf"));
    }
    let Some(parent) = check.table(&spec.table, &place.key("table")) else { return };
    let parent_place = Place::root().key("tables").key(&spec.table);
    let column = match (&spec.column, parent.key.as_slice()) {
        (Some(column), _) => {
            if !check.has_column(parent, &parent_place, column, &place.key("column")) {
                return;
            }
            column
        }
        (None, [key]) => key,
        (None, []) => {
            if check.is_whole(&parent_place.key("key")) {
                let help =
                    Some(format!("give `{}` a `key`, or name the parent's `column`", spec.table));
                check.value(
                    &place.key("table"),
                    format!("the table `{}` has no key", spec.table),
                    help,
                );
            }
            return;
        }
        (None, several) => {
            let help = Some(format!("add `column`: one of `{}`", several.join("`, `")));
            let message = format!("the key of `{}` has several columns", spec.table);
            return check.value(&place.key("table"), message, help);
        }
    };
    let columns = parent.all_columns();
    let found = columns.iter().find(|found| found.name == column);
    if let Some(parent_type) = found.map(crate::EffectiveColumn::data_type)
        && !holds(data_type, parent_type)
    {
        let message = format!(
            "`{}.{column}` is `{parent_type}`, which `{data_type}` does not hold",
            spec.table
        );
        check.value(place, message, Some(format!("make this column `{parent_type}`, too")));
    }
}

/// Whether every value of `parent` is one of `child`.
fn holds(child: DataType, parent: DataType) -> bool {
    match (child, parent) {
        (DataType::Int(child), DataType::Int(parent)) => child >= parent,
        (DataType::Text { max: child }, DataType::Text { max: parent }) => {
            child.is_none_or(|child| parent.is_some_and(|parent| parent <= child))
        }
        (child, parent) => child == parent,
    }
}

/// Every circle of tables that refer to each other, each once, named in full.
pub(super) fn cycles(check: &mut Check<'_>) {
    let schema = check.schema;
    let mut known: Vec<Vec<&str>> = Vec::new();
    for start in schema.tables.keys() {
        let Some(circle) = circle(schema, start) else { continue };
        let mut tables: Vec<&str> = circle.iter().map(|step| step.table).collect();
        tables.sort_unstable();
        if known.contains(&tables) {
            continue;
        }
        known.push(tables);
        let names: Vec<_> =
            circle.iter().map(|step| format!("{}.{}", step.table, step.column)).collect();
        let first = &circle[0];
        let place = Place::root().key("tables").key(first.table).key("columns").key(first.column);
        let message = format!("tables refer to each other: {} → {start}", names.join(" → "));
        let help = "rows are made from their parents' rules, parents first; take one `ref` away"
            .to_owned();
        check.value(&place.key("gen"), message, Some(help));
    }
}

/// A table and its column that refers to the next.
#[derive(Clone)]
struct Step<'a> {
    table: &'a str,
    column: &'a str,
}

/// The shortest way of references from `start` back to it.
fn circle<'a>(schema: &'a Schema, start: &'a str) -> Option<Vec<Step<'a>>> {
    let mut ways: std::collections::VecDeque<(Vec<Step<'a>>, &'a str)> =
        std::collections::VecDeque::from([(Vec::new(), start)]);
    let mut seen = Vec::new();
    while let Some((way, table)) = ways.pop_front() {
        let refs = schema.tables.get(table).into_iter().flat_map(parents);
        for (column, parent) in refs {
            let mut longer = way.clone();
            longer.push(Step { table, column });
            if parent == start {
                return Some(longer);
            }
            if !seen.contains(&parent) {
                seen.push(parent);
                ways.push_back((longer, parent));
            }
        }
    }
    None
}

fn parents(table: &Table) -> impl Iterator<Item = (&str, &str)> {
    table.columns.iter().filter_map(|(name, column)| match &column.generator {
        Generator::Ref(spec) => Some((name.as_str(), spec.table.as_str())),
        _ => None,
    })
}
