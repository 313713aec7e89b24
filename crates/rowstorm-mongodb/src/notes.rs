//! What `explain` says of a table beside the statements.

use rowstorm_gen::TablePlan;

use crate::wire::Wire;
use crate::{COMMAND_ROWS, dialect};

/// What to mind about one table.
pub(crate) fn notes(table: &TablePlan) -> Vec<String> {
    let mut notes = vec![
        "the answer names each refused document by its place; the others of the payload are inserted".to_owned(),
        format!("a payload of more than {COMMAND_ROWS} rows is several commands, sent one after another over one connection"),
    ];
    if dialect::is_timeseries(table) {
        notes.push("a time-series collection keeps no key: rows whose answer is lost are booked as unknown".into());
    } else if table.key.is_empty() {
        notes.push(
            "_id is the plan's fingerprint and the row's number: after a lost answer the payload is sent again, and the \
             same seed's rows appended twice are duplicates"
                .into(),
        );
    } else {
        notes.push(
            "_id is the key: after a lost answer the payload is sent again, and one copy of each row is kept"
                .into(),
        );
    }
    let wires: Vec<Wire> = table.columns.iter().map(|column| Wire::of(table, column)).collect();
    if wires.contains(&Wire::Date) {
        notes.push(
            "dates keep milliseconds, what is finer is cut off: `ddl: {mongodb: long}` keeps microseconds as an integer"
                .into(),
        );
    }
    if wires.contains(&Wire::DecimalText) {
        notes.push("decimals of more than 34 digits are kept as strings".into());
    }
    let unreachable = table.columns.iter().filter(|column| dialect::is_no_path(&column.name));
    let unreachable: Vec<String> = unreachable.map(|column| format!("{:?}", column.name)).collect();
    if !unreachable.is_empty() {
        notes.push(format!(
            "{}: names with `.` inside or `$` in front are kept, but neither indexed nor checked",
            unreachable.join(", ")
        ));
    }
    notes
}
