//! The `changes:` block: tables and columns that exist, weights, keys to change rows by.

use super::generator::positive;
use super::{Check, table};
use crate::document::Place;
use crate::{Change, ChangeKind, Pick, Table};

pub(super) fn check(check: &mut Check<'_>) {
    let Some(changes) = &check.schema.changes else { return };
    let place = Place::root().key("changes").key("mix");
    if changes.mix.is_empty() && check.is_whole(&place) {
        check.value(&place, "there is nothing to change", None);
    }
    for (at, change) in changes.mix.iter().enumerate() {
        let here = place.index(at);
        positive(check, change.weight, &here.key("weight"));
        self::change(check, change, &here);
    }
}

fn change(check: &mut Check<'_>, change: &Change, place: &Place) {
    match change.kind() {
        None => {
            if check.is_whole(place) {
                let help = Some("`{ insert: orders, weight: 1 }`".to_owned());
                check.value(place, "a change is one of `insert`, `update` and `delete`", help);
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
            }
            unused(check, !change.set.is_empty(), "set", "a delete sets no column", place);
            pick(check, change.pick, place);
        }
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
    for (at, column) in change.set.iter().enumerate() {
        if table.key.contains(column) {
            check.value(
                &set.index(at),
                format!("`{column}` is in the key, which never changes"),
                None,
            );
        }
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
