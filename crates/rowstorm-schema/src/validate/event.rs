//! Events among changes: in order, tables that may be emptied, words that are there.

use super::Check;
use crate::document::Place;
use crate::limits::EVENTS_MAX;
use crate::{Change, ChangeEvent, ChangeKind, Words};

/// All events of a `changes:` block.
pub(super) fn check(check: &mut Check<'_>, events: &[ChangeEvent], mix: &[Change], place: &Place) {
    if events.len() > EVENTS_MAX {
        check.value(place, format!("{} events; at most {EVENTS_MAX}", events.len()), None);
    }
    let mut before = 0;
    for (at, event) in events.iter().enumerate() {
        let here = place.index(at);
        let after = event.after.0;
        if after == 0 {
            let help = "what is done before the first change needs no event".to_owned();
            check.value(&here.key("after"), "an event comes after one change at least", Some(help));
        }
        if after < before {
            let message = format!("after {after} changes, and the event before it after {before}");
            let help = Some("write events in the order in which they are done".to_owned());
            check.value(&here.key("after"), message, help);
        }
        before = after;
        match (&event.truncate, &event.statement) {
            (Some(name), None) => truncate(check, name, mix, &here.key("truncate")),
            (None, Some(words)) => statement(check, words, &here.key("statement")),
            (Some(_), Some(_)) => {
                let help = Some("make them two events".to_owned());
                check.key(&here, "an event is a `truncate` or a `statement`, not both", help);
            }
            (None, None) if check.is_whole(&here) => {
                let help = Some("`{ after: 100000 changes, truncate: visits }`".to_owned());
                check.value(&here, "an event is a `truncate` or a `statement`", help);
            }
            (None, None) => {}
        }
    }
}

/// What is gone must be told without a replay: rows of a table that is only inserted into, and that no other row needs.
fn truncate(check: &mut Check<'_>, name: &str, mix: &[Change], place: &Place) {
    if check.table(name, place).is_none() {
        return;
    }
    let other = mix.iter().enumerate().find_map(|(at, change)| {
        let (what, of) = match change.kind()? {
            ChangeKind::Insert(_) => return None,
            ChangeKind::Update(of) => ("updates", of),
            ChangeKind::Delete(of) => ("deletes from", of),
            ChangeKind::Rekey(of) => ("rekeys", of),
            ChangeKind::Read(of) => ("reads", of),
        };
        (of == name).then_some((at, what))
    });
    if let Some((at, what)) = other {
        let message = format!("`changes.mix[{at}]` {what} `{name}`");
        let help = "a table that is emptied is only inserted into: no other op would find its row";
        check.value(place, message, Some(help.to_owned()));
    }
    if let Some(by) = check.schema.references(name).first() {
        let message = format!("`{}.{}` refers to `{name}`", by.table, by.column);
        let help =
            format!("a row that others refer to is never deleted; empty `{}` only", by.table);
        check.value(place, message, Some(help));
    }
}

fn statement(check: &mut Check<'_>, words: &Words, place: &Place) {
    match words {
        Words::Sql(text) => sql(check, text, place),
        Words::Each(each) => {
            for (database, text) in each.all_sql() {
                sql(check, text, &place.key(database));
            }
            if each.all_sql().next().is_none() && each.mongodb.is_none() && check.is_whole(place) {
                let help = Some("write `{ postgres: ALTER TABLE … }`".to_owned());
                check.value(place, "a statement without words", help);
            }
        }
    }
}

fn sql(check: &mut Check<'_>, text: &str, place: &Place) {
    if text.trim().is_empty() {
        check.value(place, "a statement without words", None);
    }
}
