//! Templates: the columns that they read.

use super::Check;
use super::column::{Scope, Within};
use crate::document::Place;
use crate::{DataType, Origin, Per, Table, Template, TemplatePart};

pub(super) fn check(check: &mut Check<'_>, scope: Scope<'_>, text: &str, place: &Place) {
    let template = match text.parse::<Template>() {
        Ok(template) => template,
        Err(error) => return check.value(place, error.to_string(), None),
    };
    let lacks_series =
        scope.table.series.is_none() && !check.is_written(&scope.table_place.key("series"));
    if template.reads_series() && lacks_series {
        let help = Some("give the table `series: { count: … }`, or use `{row}`".to_owned());
        check.value(place, "`{series}` in a table without `series`", help);
    }
    if scope.per == Per::Series && template.parts.contains(&TemplatePart::Row) {
        let help = Some("use `{series}`".to_owned());
        check.value(place, "`{row}` in a column that is drawn once for each series", help);
    }
    for name in template.columns() {
        column(check, scope, name, place);
    }
    if scope.within == Within::Table
        && let Some(cycle) = cycle(scope.table, scope.column)
    {
        check.value(place, format!("the templates read each other: {cycle}"), None);
    }
}

fn column(check: &mut Check<'_>, scope: Scope<'_>, name: &str, place: &Place) {
    if scope.within == Within::Array {
        let help = Some("a range like `{0..99}` can".to_owned());
        return check.value(
            place,
            format!("`{{{name}}}`: an array's item cannot read columns"),
            help,
        );
    }
    if !check.has_column(scope.table, scope.table_place, name, place) {
        return;
    }
    let columns = scope.table.all_columns();
    let Some(read) = columns.iter().find(|column| column.name == name) else { return };
    let data_type = read.data_type();
    if matches!(data_type, DataType::Object | DataType::Array | DataType::Bytes | DataType::Json) {
        check.value(place, format!("`{{{name}}}` of type `{data_type}` has no text"), None);
    }
    if let Origin::Declared(column) = read.origin
        && scope.per == Per::Series
        && column.per == Per::Row
    {
        let help = Some(format!("give `{name}` `per: series`, too"));
        check.value(
            place,
            format!("a value for each series reads `{name}`, which has one for each row"),
            help,
        );
    }
}

/// The chain of templates from `start` back to itself, if there is one.
fn cycle(table: &Table, start: &str) -> Option<String> {
    let mut paths = vec![vec![start.to_owned()]];
    let mut seen = Vec::new();
    while let Some(path) = paths.pop() {
        let last = path.last()?;
        for next in reads(table, last) {
            if next == start {
                return Some(format!("{} → {start}", path.join(" → ")));
            }
            if !seen.contains(&next) {
                seen.push(next.clone());
                let mut longer = path.clone();
                longer.push(next);
                paths.push(longer);
            }
        }
    }
    None
}

fn reads(table: &Table, column: &str) -> Vec<String> {
    let template = match table.columns.get(column).map(|column| &column.generator) {
        Some(crate::Generator::Template(text)) => text.parse::<Template>().ok(),
        _ => None,
    };
    template.iter().flat_map(Template::columns).map(str::to_owned).collect()
}
