//! Parents before the tables that refer to them.

use rowstorm_schema::{Generator, Schema};

use super::invalid;
use crate::PlanError;

/// The tables' names so that a table stands behind all that it refers to; else in the document's order.
pub(super) fn parents_first(schema: &Schema) -> Result<Vec<&str>, PlanError> {
    let mut order = Vec::with_capacity(schema.tables.len());
    for name in schema.tables.keys() {
        visit(schema, name, &mut Vec::new(), &mut order)?;
    }
    Ok(order)
}

fn visit<'a>(
    schema: &'a Schema,
    name: &'a str,
    way: &mut Vec<&'a str>,
    order: &mut Vec<&'a str>,
) -> Result<(), PlanError> {
    if order.contains(&name) {
        return Ok(());
    }
    if way.contains(&name) {
        let circle = format!("tables refer to each other: {} → {name}", way.join(" → "));
        return Err(invalid(&format!("tables.{name}"), circle));
    }
    way.push(name);
    let Some(table) = schema.tables.get(name) else {
        let child = way.first().copied().unwrap_or_default();
        return Err(invalid(
            &format!("tables.{child}"),
            format!("a `ref` names the table `{name}`, which is not there"),
        ));
    };
    let mut parents = Vec::new();
    table.columns.values().for_each(|column| refs(&column.generator, &mut parents));
    for parent in parents {
        if parent != name {
            visit(schema, parent, way, order)?;
        }
    }
    way.pop();
    order.push(name);
    Ok(())
}

/// The tables that a generator refers to, however deep inside.
pub(super) fn refs<'a>(generator: &'a Generator, found: &mut Vec<&'a str>) {
    match generator {
        Generator::Ref(spec) => found.push(&spec.table),
        Generator::Object(fields) => {
            fields.values().for_each(|field| refs(&field.generator, found));
        }
        Generator::Array(spec) => refs(&spec.generator, found),
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
        | Generator::Walk(_) => {}
    }
}
