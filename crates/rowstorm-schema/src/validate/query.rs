//! Reads of a range of time and by a statement: columns that are there, words that read.

use super::Check;
use crate::document::Place;
use crate::{Change, Command, DataType, Table, Template, TemplatePart, Words};

/// Commands of MongoDB that read and change nothing.
const COMMANDS: [&str; 4] = ["find", "aggregate", "count", "distinct"];

/// A read that has a range or a statement.
pub(super) fn check(
    check: &mut Check<'_>,
    change: &Change,
    name: &str,
    table: &Table,
    place: &Place,
) {
    let of = Place::root().key("tables").key(name);
    if change.range.is_some() && change.statement.is_some() {
        let help = Some("make them two entries".to_owned());
        check.key(&place.key("statement"), "a read has a range or a statement, not both", help);
    }
    if let Some(range) = &change.range {
        let here = place.key("range");
        if check.has_column(table, &of, &range.column, &here.key("column")) {
            let columns = table.all_columns();
            let found = columns.iter().find(|column| column.name == range.column);
            if found.is_some_and(|column| column.data_type() != DataType::Timestamp) {
                let message = format!("`{}` holds no instants", range.column);
                let help = Some("a range goes over a column of type `timestamp`".to_owned());
                check.value(&here.key("column"), message, help);
            }
        }
        if range.last.0.is_zero() {
            let help = Some("write how far it reaches back, like `15m`".to_owned());
            check.value(&here.key("last"), "an empty range", help);
        }
    }
    let here = place.key("statement");
    match &change.statement {
        None => {}
        Some(Words::Sql(text)) => sql(check, text, table, &of, &here),
        Some(Words::Each(each)) => {
            for (database, text) in each.all_sql() {
                sql(check, text, table, &of, &here.key(database));
            }
            if let Some(text) = &each.mongodb {
                command(check, text, table, &of, &here.key("mongodb"));
            }
            if each.all_sql().next().is_none() && each.mongodb.is_none() && check.is_whole(&here) {
                let help = Some("write `{ postgres: SELECT … }`".to_owned());
                check.value(&here, "a statement without words", help);
            }
        }
    }
}

fn sql(check: &mut Check<'_>, text: &str, table: &Table, of: &Place, place: &Place) {
    let template = match text.parse::<Template>() {
        Ok(template) => template,
        Err(error) => return check.value(place, error.to_string(), None),
    };
    if text.trim().is_empty() {
        check.value(place, "a statement without words", None);
    }
    for part in &template.parts {
        match part {
            TemplatePart::Text(_) => {}
            TemplatePart::Column(name) => {
                check.has_column(table, of, name, place);
            }
            TemplatePart::Range { .. } | TemplatePart::Row | TemplatePart::Series => {
                let help = Some("make it a column of the table, or write the number".to_owned());
                check.value(place, "a parameter of a statement is a column of its table", help);
            }
        }
    }
}

fn command(check: &mut Check<'_>, text: &Command, table: &Table, of: &Place, place: &Place) {
    let name = text.name().unwrap_or_default();
    if !COMMANDS.contains(&name.as_str()) {
        let help = format!("its first key is one of `{}`", COMMANDS.join("`, `"));
        check.value(place, format!("`{name}` is no command that reads"), Some(help));
    }
    for stage in ["\"$out\":", "\"$merge\":"] {
        if text.0.contains(stage) {
            let message =
                format!("{} writes, and a read changes nothing", &stage[..stage.len() - 1]);
            check.value(place, message, None);
        }
    }
    for parameter in text.parameters() {
        check.has_column(table, of, &parameter, place);
    }
}
