//! Columns: nulls, `unique`, `per`, `ddl`, and whether the generator fits the type.

use super::{Check, generator, never_repeats};
use crate::document::Place;
use crate::limits::NESTING_MAX;
use crate::{ArraySpec, Column, DataType, Generator, Per, Table, suggest};

/// The databases that have column types of their own.
const DDL_TARGETS: &[&str] = &["postgres", "mysql", "mongodb", "cratedb", "sqlite"];

/// Where a value stands: decides which generators can make it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) table: &'a Table,
    pub(super) table_place: &'a Place,
    /// The name of the table's column.
    pub(super) column: &'a str,
    pub(super) per: Per,
    pub(super) unique: bool,
    pub(super) within: Within,
    pub(super) depth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Table,
    Object,
    Array,
}

pub(super) fn check(
    check: &mut Check<'_>,
    table: &Table,
    table_place: &Place,
    name: &str,
    column: &Column,
) {
    let place = table_place.key("columns").key(name);
    check.name("column", name, &place);
    let scope = Scope {
        table,
        table_place,
        column: name,
        per: column.per,
        unique: column.unique,
        within: Within::Table,
        depth: 0,
    };
    let lacks_series = table.series.is_none() && !check.is_written(&table_place.key("series"));
    if column.per == Per::Series && lacks_series {
        let help = Some("give the table `series: { count: … }`, or take `per` away".to_owned());
        check.value(&place.key("per"), "`per: series` in a table without `series`", help);
    }
    if column.unique && !never_repeats(table, name) {
        let message =
            format!("`{}` may repeat, so the column cannot be `unique`", column.generator.name());
        let help = "these never repeat: `sequence`, `uuid_v4`, `uuid_v7`, `uniform` over integers, a `template` \
                    with such a column or `{row}`; none of them `per: series`";
        check.value(&place.key("unique"), message, Some(help.to_owned()));
    }
    for (target, words) in &column.ddl {
        let here = place.key("ddl").key(target);
        if !DDL_TARGETS.contains(&target.as_str()) {
            let help = suggest::help(target, DDL_TARGETS.iter().copied());
            check.key(&here, format!("no database `{target}` has column types"), help);
        } else if words.trim().is_empty() {
            check.value(&here, "the type is empty", None);
        }
    }
    value(check, scope, column, &place);
}

/// A column, or a field of an object: nulls, fit, and the generator's own settings.
fn value(check: &mut Check<'_>, scope: Scope<'_>, column: &Column, place: &Place) {
    ratio(check, column.nulls, &place.key("nulls"));
    typed(check, scope, column.data_type, &column.generator, place);
}

/// A share between 0 and 1.
pub(super) fn ratio(check: &mut Check<'_>, ratio: f64, place: &Place) {
    if !(0.0..=1.0).contains(&ratio) {
        let help = Some("write 0.05 for five in a hundred".to_owned());
        check.value(place, format!("a share is between 0 and 1, not {ratio}"), help);
    }
}

fn typed(
    check: &mut Check<'_>,
    scope: Scope<'_>,
    data_type: DataType,
    rule: &Generator,
    place: &Place,
) {
    let here = place.key("gen");
    if !rule.fits(data_type) {
        let message = format!("`{}` does not fit the type `{data_type}`", rule.name());
        let help = format!(
            "`{}` makes {}; for `{data_type}` there are `{}`",
            rule.name(),
            rule.makes(),
            Generator::names_for(data_type).join("`, `"),
        );
        check.value(&here, message, Some(help));
        return;
    }
    if scope.within != Within::Table && matches!(rule, Generator::Ref(_)) {
        let help = Some("make it a column of the table".to_owned());
        check.value(&here, "`ref` inside an object or an array", help);
    }
    if scope.within == Within::Array && matches!(rule, Generator::Sequence(_) | Generator::Clock(_))
    {
        let message =
            format!("`{}` inside an array: its items have no rows of their own", rule.name());
        check.value(&here, message, None);
    }
    let settings = here.key(rule.name());
    match rule {
        Generator::Object(fields) => object(check, scope, fields, &settings),
        Generator::Array(spec) => array(check, scope, spec, &settings),
        scalar => generator::check(check, scope, data_type, scalar, &settings),
    }
}

fn object(
    check: &mut Check<'_>,
    scope: Scope<'_>,
    fields: &indexmap::IndexMap<String, Column>,
    place: &Place,
) {
    if fields.is_empty() && check.is_whole(place) {
        check.value(place, "an object needs a field", None);
    }
    if is_too_deep(check, scope, place) {
        return;
    }
    let within = if scope.within == Within::Array { Within::Array } else { Within::Object };
    for (name, field) in fields {
        let here = place.key(name);
        check.name("field", name, &here);
        if field.unique {
            check.value(&here.key("unique"), "a field of an object cannot be `unique`", None);
        }
        if field.per == Per::Series {
            let help = Some("set `per: series` on the whole column".to_owned());
            check.value(&here.key("per"), "a field of an object cannot be `per: series`", help);
        }
        if !field.ddl.is_empty() {
            check.key(&here.key("ddl"), "a field of an object has no `ddl`", None);
        }
        let scope = Scope { within, depth: scope.depth + 1, unique: false, ..scope };
        value(check, scope, field, &here);
    }
}

fn array(check: &mut Check<'_>, scope: Scope<'_>, spec: &ArraySpec, place: &Place) {
    if is_too_deep(check, scope, place) {
        return;
    }
    let most = crate::limits::ARRAY_ITEMS_MAX;
    if spec.min > spec.max {
        let message = format!("min {} is above max {}", spec.min, spec.max);
        check.value(&place.key("min"), message, None);
    }
    if spec.max > most {
        check.value(&place.key("max"), format!("{} items; at most {most}", spec.max), None);
    }
    ratio(check, spec.nulls, &place.key("nulls"));
    let scope = Scope { within: Within::Array, depth: scope.depth + 1, unique: false, ..scope };
    typed(check, scope, spec.data_type, &spec.generator, place);
}

fn is_too_deep(check: &mut Check<'_>, scope: Scope<'_>, place: &Place) -> bool {
    let is_too_deep = scope.depth >= NESTING_MAX;
    if is_too_deep {
        check.key(place, format!("nested more than {NESTING_MAX} levels deep"), None);
    }
    is_too_deep
}
