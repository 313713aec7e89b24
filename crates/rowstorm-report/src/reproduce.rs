//! The command that does the same again: what was found by trial is given as a number, so that nothing is left to chance.
//!
//! A run that went on with another is done again as a whole, from nothing: by its number of changes it ends with the same rows. Only a
//! shard goes on with the record of the load once more.

use std::fmt::Write as _;

use crate::record::RunRecord;

/// The command line that repeats this run, quoted for a shell. User and password are not in it, as they are not in the
/// record.
///
/// ```
/// use rowstorm_report::{RunRecord, Settings, reproduce};
/// let settings = Settings { schema: "my cpu.yaml".into(), rows: Some(1000), ..Settings::default() };
/// let record = RunRecord { settings, target: "sqlite:cpu.db".into(), seed: 42, ..RunRecord::default() };
/// assert_eq!(reproduce(&record), "rowstorm run 'my cpu.yaml' --to sqlite:cpu.db --seed 42 --rows 1000");
/// ```
pub fn reproduce(record: &RunRecord) -> String {
    let settings = &record.settings;
    let mut line =
        format!("rowstorm run {} --to {}", quoted(&settings.schema), quoted(&record.target));
    let mut flag = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(line, " --{name} {}", quoted(&value));
        }
    };
    flag("seed", Some(record.seed.to_string()));
    flag("rows", settings.rows.map(|rows| rows.to_string()));
    // Without a whole number of rows the duration is what bounds the run.
    flag("duration", settings.duration_s.map(|seconds| format!("{seconds}s")));
    flag("rate", settings.rate.map(|rate| format!("{rate}/s")));
    if let Some(changes) = &record.changes {
        // A schedule of one stage is a rate, and how long it is held.
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        match changes.asked.split_once(':') {
            Some(_) if changes.asked.contains(',') => flag("stages", given(&changes.asked)),
            Some((rate, length)) => {
                flag("rate", given(rate));
                flag("duration", given(length));
            }
            None => flag("rate", given(&changes.asked)),
        }
        flag("changes", changes.amount.map(|amount| amount.to_string()));
    }
    flag("changes", settings.load_only.then(|| "0".to_owned()));
    // What was found for the load would hold for the changes, too; what was given does.
    let loads = record.changes.is_none();
    let number = |found: u32, given: &str| {
        let number = if loads { found } else { given.parse().unwrap_or_default() };
        (number > 0).then(|| number.to_string())
    };
    flag("batch", number(record.batch.chosen_rows, &settings.batch));
    flag("in-flight", number(record.batch.chosen_in_flight, &settings.in_flight));
    let unlike =
        |value: &str, usual: &str| (!value.is_empty() && value != usual).then(|| value.to_owned());
    flag("indexes", unlike(&settings.indexes, "after"));
    flag("table-mode", unlike(&record.table_mode, "create"));
    flag("shard", record.shard.map(|shard| format!("{}/{}", shard.index, shard.count)));
    let began = record.changes.as_ref().filter(|_| record.shard.is_some_and(|it| it.count > 1));
    flag("resume", began.and_then(|changes| unlike(&changes.resumed_record, "")));
    line
}

/// Bare where a POSIX shell takes it as it is, else in single quotes.
fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(bare) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
