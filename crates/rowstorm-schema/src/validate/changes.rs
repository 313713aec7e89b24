//! The `changes:` block: tables and columns that exist, weights, keys to change rows by.

use super::generator::positive;
use super::{Check, event, query, table};
use crate::document::Place;
use crate::limits::{MIX_MAX, STREAMS_MAX};
use crate::{Change, ChangeKind, Fixed, Generator, Pick, Table};

pub(super) fn check(check: &mut Check<'_>) {
    let Some(changes) = &check.schema.changes else { return };
    let place = Place::root().key("changes");
    let streams = changes.streams();
    if streams == 0 || streams > STREAMS_MAX {
        let message = format!("{streams} streams; 1 to {STREAMS_MAX}");
        check.value(&place.key("streams"), message, None);
    }
    if !(0.0..1.0).contains(&changes.rollback) {
        let message = format!("a share from 0 to below 1, not {}", changes.rollback);
        check.value(&place.key("rollback"), message, None);
    }
    if let Some(hold) = changes.hold.filter(|hold| !(0.0..=1.0).contains(&hold.share)) {
        let message = format!("a share from 0 to 1, not {}", hold.share);
        check.value(&place.key("hold").key("share"), message, None);
    }
    let mix = place.key("mix");
    match changes.mix.len() {
        0 if check.is_whole(&mix) => check.value(&mix, "there is nothing to change", None),
        count if count > MIX_MAX => {
            check.value(&mix, format!("{count} entries; at most {MIX_MAX}"), None);
        }
        _ => {}
    }
    event::check(check, &changes.events, &changes.mix, &place.key("events"));
    for (at, change) in changes.mix.iter().enumerate() {
        let here = mix.index(at);
        positive(check, change.weight, &here.key("weight"));
        self::change(check, change, &here);
        if let Some(ChangeKind::Delete(name) | ChangeKind::Rekey(name)) = change.kind() {
            alike(check, &changes.mix[..at], change, name, &here);
        }
    }
}

fn change(check: &mut Check<'_>, change: &Change, place: &Place) {
    if !matches!(change.kind(), None | Some(ChangeKind::Read(_))) {
        unused(check, change.range.is_some(), "range", "only a read has a range", place);
        unused(
            check,
            change.statement.is_some(),
            "statement",
            "only a read has a statement",
            place,
        );
    }
    match change.kind() {
        None => {
            if check.is_whole(place) {
                let help = Some("`{ insert: orders, weight: 1 }`".to_owned());
                let message = "a change is one of `insert`, `update`, `delete`, `rekey` and `read`";
                check.value(place, message, help);
            }
        }
        Some(ChangeKind::Insert(name)) => {
            check.table(name, &place.key("insert"));
            unused(check, change.pick.is_some(), "pick", "an insert picks no row", place);
            unused(check, !change.set.is_empty(), "set", "an insert sets every column", place);
        }
        Some(ChangeKind::Update(name)) => {
            if let Some(table) = check.table(name, &place.key("update")) {
                update(check, change, name, table, place);
            }
            pick(check, change.pick, place);
        }
        Some(ChangeKind::Delete(name)) => {
            if let Some(table) = check.table(name, &place.key("delete")) {
                keyed(check, name, table, &place.key("delete"));
                leave(check, change, name, &place.key("delete"));
            }
            unused(check, !change.set.is_empty(), "set", "a delete sets no column", place);
            in_order(check, change.pick, "a delete", place);
        }
        Some(ChangeKind::Rekey(name)) => {
            if let Some(table) = check.table(name, &place.key("rekey")) {
                keyed(check, name, table, &place.key("rekey"));
                leave(check, change, name, &place.key("rekey"));
                rekey(check, name, table, &place.key("rekey"));
            }
            unused(check, !change.set.is_empty(), "set", "a rekey sets the key alone", place);
            in_order(check, change.pick, "a rekey", place);
        }
        Some(ChangeKind::Read(name)) => {
            if let Some(table) = check.table(name, &place.key("read")) {
                match (&change.range, &change.statement) {
                    (None, None) => keyed(check, name, table, &place.key("read")),
                    (_, _) => query::check(check, change, name, table, place),
                }
            }
            unused(check, !change.set.is_empty(), "set", "a read sets no column", place);
            pick(check, change.pick, place);
        }
    }
}

/// A key that goes away: by a delete or a rekey.
fn leave(check: &mut Check<'_>, change: &Change, name: &str, place: &Place) {
    if let Some(by) = check.schema.references(name).first() {
        let message = format!("`{}.{}` refers to `{name}`", by.table, by.column);
        let what = if change.delete.is_some() { "deleted" } else { "given another key" };
        let help = format!(
            "a row that others refer to is never {what}; change the rows of `{}` only",
            by.table
        );
        check.value(place, message, Some(help));
    }
}

fn in_order(check: &mut Check<'_>, pick: Option<Pick>, what: &str, place: &Place) {
    match pick {
        None | Some(Pick::Oldest | Pick::Uniform) => {}
        Some(Pick::Latest | Pick::Zipf(_) | Pick::Hotspot(_)) => {
            let help = "the rows that are left would be no interval, and could not be told without \
                        replaying every op";
            let message = format!("{what} picks `oldest` or `uniform`");
            check.value(&place.key("pick"), message, Some(help.to_owned()));
        }
    }
}

/// A row keeps its columns when it gets another key: they must not be made from its number.
fn rekey(check: &mut Check<'_>, name: &str, table: &Table, place: &Place) {
    let help = || Some("a row that gets another key keeps its other columns".to_owned());
    let fixed = check.schema.fixed(name);
    let bound = table.columns.keys().find_map(|column| {
        let why = fixed.get(column.as_str())?;
        (!matches!(why, Fixed::Key | Fixed::Same)).then(|| format!("`{column}` {why}"))
    });
    let states = table.columns.iter().find_map(|(column, of)| {
        matches!(of.generator, Generator::States(_)).then(|| format!("`{column}` walks states"))
    });
    let series = table.series.as_ref().map(|_| format!("`{name}` has `series`"));
    if let Some(message) = series.or(bound).or(states) {
        check.value(place, message, help());
    }
}

/// All deletes and rekeys of a table go through its rows in one order.
fn alike(check: &mut Check<'_>, before: &[Change], change: &Change, name: &str, place: &Place) {
    let shuffled = |change: &Change| change.pick == Some(Pick::Uniform);
    let other = before.iter().find(|other| {
        let of_table = [Some(ChangeKind::Delete(name)), Some(ChangeKind::Rekey(name))];
        of_table.contains(&other.kind()) && shuffled(other) != shuffled(change)
    });
    if other.is_some() {
        let message = format!("another entry takes rows of `{name}` with another `pick`");
        let help = "give all of a table's deletes and rekeys the same".to_owned();
        check.value(place, message, Some(help));
    }
}

fn update(check: &mut Check<'_>, change: &Change, name: &str, table: &Table, place: &Place) {
    keyed(check, name, table, &place.key("update"));
    let set = place.key("set");
    if change.set.is_empty() && check.is_whole(&set) {
        let help = Some("add `set: [column, …]`".to_owned());
        check.key(place, "an update must say which columns it sets", help);
    }
    table::names(check, table, &Place::root().key("tables").key(name), &change.set, &set);
    walks(check, change, name, table, place);
    let fixed = check.schema.fixed(name);
    for (at, column) in change.set.iter().enumerate() {
        if let Some(why) = fixed.get(column.as_str()) {
            let help = matches!(why, Fixed::Same)
                .then(|| "let it read a column that the update sets, or `{0..999}`".to_owned());
            check.value(&set.index(at), format!("`{column}` {why}"), help);
        }
    }
}

/// An update that takes rows through states: which one it moves, and how often it did before, is a closed form only if the
/// rows take turns.
fn walks(check: &mut Check<'_>, change: &Change, name: &str, table: &Table, place: &Place) {
    let schema = check.schema;
    let is_states = |column: &&String| {
        let column = table.columns.get(column.as_str());
        column.is_some_and(|column| matches!(column.generator, Generator::States(_)))
    };
    let Some(column) = change.set.iter().find(is_states) else { return };
    match change.pick {
        None | Some(Pick::Uniform | Pick::Latest) => {}
        Some(Pick::Oldest | Pick::Zipf(_) | Pick::Hotspot(_)) => {
            let message = format!("rows take turns to walk through the states of `{column}`");
            let help = "pick `uniform`, or `latest` for turns among the youngest".to_owned();
            check.value(&place.key("pick"), message, Some(help));
        }
    }
    let mix = schema.changes.iter().flat_map(|changes| &changes.mix);
    let (mut moves, mut born, mut gone) = (0, 0.0, 0.0);
    for other in mix {
        match other.kind() {
            Some(ChangeKind::Insert(of)) if of == name => born += other.weight,
            Some(ChangeKind::Update(of)) if of == name => {
                moves += usize::from(other.set.iter().any(|column| is_states(&column)));
            }
            Some(ChangeKind::Delete(of)) if of == name => {
                gone += other.weight;
                if other.pick == Some(Pick::Uniform) {
                    let message = format!("deletes from `{name}` pick `uniform`");
                    let help =
                        format!("rows that walk through states go `oldest` first: `{column}`");
                    check.key(place, message, Some(help));
                }
            }
            _ => {}
        }
    }
    if moves > 1 {
        let message = format!("another entry moves rows of `{name}` through states, too");
        check.key(place, message, Some("make it one entry with their weights added".to_owned()));
    }
    if gone > born {
        let message = format!("deletes from `{name}` outnumber its inserts");
        let help = "rows take turns among as many as are always there; insert as many".to_owned();
        check.key(place, message, Some(help));
    }
}

fn keyed(check: &mut Check<'_>, name: &str, table: &Table, place: &Place) {
    let key = Place::root().key("tables").key(name).key("key");
    if table.key.is_empty() && check.is_whole(&key) {
        let help = Some(format!("give `{name}` a `key`: rows are changed by it"));
        check.value(place, format!("the table `{name}` has no key"), help);
    }
}

fn unused(check: &mut Check<'_>, is_there: bool, key: &str, message: &str, place: &Place) {
    if is_there {
        check.key(&place.key(key), message, Some(format!("take `{key}` away")));
    }
}

fn pick(check: &mut Check<'_>, pick: Option<Pick>, place: &Place) {
    let place = place.key("pick");
    match pick {
        None | Some(Pick::Uniform | Pick::Latest | Pick::Oldest) => {}
        Some(Pick::Zipf(exponent)) => positive(check, exponent, &place.key("zipf")),
        Some(Pick::Hotspot(share)) => {
            if !(share > 0.0 && share < 1.0) {
                let message = format!("a hotspot is a share between 0 and 1, not {share}");
                check.value(&place.key("hotspot"), message, None);
            }
        }
    }
}
