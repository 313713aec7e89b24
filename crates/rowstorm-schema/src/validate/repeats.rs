//! Which columns can never repeat a value, by their rule alone.

use crate::{Column, DataType, Generator, LevelRule, Origin, Per, Table, Template, TemplatePart};

/// The deepest chain of templates that read templates.
const CHAIN_MAX: usize = 16;

/// Whether no two rows have the same value in this column, by the rule of its generator.
pub(crate) fn never_repeats(table: &Table, name: &str) -> bool {
    table.columns.get(name).is_some_and(|column| column_never_repeats(table, column, CHAIN_MAX))
}

fn column_never_repeats(table: &Table, column: &Column, chain: usize) -> bool {
    if column.per == Per::Series || chain == 0 {
        return false;
    }
    match &column.generator {
        Generator::Sequence(spec) => spec.step != 0,
        Generator::UuidV4 | Generator::UuidV7(_) => true,
        // Declared unique, a uniform integer is a keyed permutation of its range.
        Generator::Uniform(_) => column.unique && matches!(column.data_type, DataType::Int(_)),
        Generator::Clock(spec) => table.series.is_none() && spec.jitter.is_none(),
        Generator::Template(text) => text.parse::<Template>().is_ok_and(|template| {
            template.parts.iter().any(|part| match part {
                TemplatePart::Row => true,
                TemplatePart::Column(other) => table.columns.get(other).is_some_and(|other| {
                    other.nulls == 0.0 && column_never_repeats(table, other, chain - 1)
                }),
                TemplatePart::Text(_) | TemplatePart::Range { .. } | TemplatePart::Series => false,
            })
        }),
        Generator::Normal(_)
        | Generator::LogNormal(_)
        | Generator::Exponential { .. }
        | Generator::Zipf(_)
        | Generator::OneOf(_)
        | Generator::States(_)
        | Generator::Text(_)
        | Generator::Fake(_)
        | Generator::Now
        | Generator::Constant(_)
        | Generator::Ref(_)
        | Generator::Object(_)
        | Generator::Array(_)
        | Generator::Walk(_) => false,
    }
}

/// Whether two rows may have the same values in all these columns.
pub(crate) fn key_repeats(table: &Table, names: &[String]) -> bool {
    !names.iter().any(|name| never_repeats(table, name)) && !is_entity_and_tick(table, names)
}

/// An entity's own number and an instant that moves on with every tick name one row of a set of series.
fn is_entity_and_tick(table: &Table, names: &[String]) -> bool {
    let columns = table.all_columns();
    let has = |is: &dyn Fn(&Origin<'_>) -> bool| {
        columns
            .iter()
            .any(|column| names.iter().any(|name| name == column.name) && is(&column.origin))
    };
    let entity = has(&|origin| match origin {
        Origin::Level(rule) => *rule == LevelRule::Id,
        Origin::Declared(column) => names_entity(column),
    });
    let tick = has(&|origin| match origin {
        Origin::Level(_) => false,
        Origin::Declared(column) => match &column.generator {
            Generator::Clock(spec) => spec.jitter.is_none_or(|jitter| jitter < spec.step),
            _ => false,
        },
    });
    table.series.is_some() && entity && tick
}

/// Whether a column's value belongs to one entity alone: `host_{series}`.
fn names_entity(column: &Column) -> bool {
    match &column.generator {
        Generator::Template(text) => {
            text.parse::<Template>().is_ok_and(|template| template.reads_series())
        }
        Generator::Sequence(_) | Generator::UuidV4 | Generator::UuidV7(_) => {
            column.per == Per::Series
        }
        _ => false,
    }
}
