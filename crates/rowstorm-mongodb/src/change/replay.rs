//! What stands there already of an insert that is done once more.

use std::collections::{HashMap, HashSet};

use mongodb::bson::{Bson, RawDocument, RawDocumentBuf};
use rowstorm_sink::{Attempt, Changed, SinkError};

use super::command::{Command, Piece};
use super::link::Link;
use super::{FIND_ROWS, write};
use crate::answer::DUPLICATE_KEY;
use crate::error;
use crate::identity::ID;

/// An insert once more within a transaction, which a row that is refused would end: what stands there is looked for first.
pub(super) async fn replay(
    link: &mut Link,
    command: &Command,
    piece: Piece,
) -> Result<Changed, SinkError> {
    let all: Vec<usize> = (0..piece.rows as usize).collect();
    let Standing { same, other } = standing(link, command, &piece, &all).await?;
    if other > 0 {
        let class = error::class(DUPLICATE_KEY, error::name(DUPLICATE_KEY));
        return Ok(Changed::refused(other, &class, "another document has this `_id`"));
    }
    let mut changed = Changed::default();
    if same.len() < all.len() {
        let rest = piece.without(&same)?;
        changed = write(link, command, &rest, Attempt::First).await?;
    }
    changed.confirmed += same.len() as u64;
    Ok(changed)
}

/// Inserted documents whose `_id` stands there.
pub(super) struct Standing {
    /// Those that stand there with this content in the fields that no update sets.
    pub(super) same: HashSet<usize>,
    /// How many others there are.
    other: u64,
}

/// Looks for the documents at some places of an insert.
pub(super) async fn standing(
    link: &mut Link,
    command: &Command,
    piece: &Piece,
    places: &[usize],
) -> Result<Standing, SinkError> {
    let sent = piece.documents("documents")?;
    let (mut same, mut found) = (HashSet::new(), 0);
    for places in places.chunks(FIND_ROWS) {
        let ids = places.iter().filter_map(|place| id_of(sent[*place])).collect();
        let there = link.find(&command.collection, ids).await?;
        found += there.len() as u64;
        let there: HashMap<Vec<u8>, &RawDocumentBuf> =
            there.iter().map(|row| (field(row, ID), row)).collect();
        same.extend(places.iter().filter(|place| {
            let row = sent[**place];
            there.get(&field(row, ID)).is_some_and(|twin| {
                command.steady.iter().all(|name| field(row, name) == field(twin, name))
            })
        }));
    }
    let other = found.saturating_sub(same.len() as u64);
    Ok(Standing { same, other })
}

/// A field's type and value, as bytes; none of a field that is not there.
fn field(document: &RawDocument, name: &str) -> Vec<u8> {
    let Ok(Some(value)) = document.get(name) else { return Vec::new() };
    let mut alone = RawDocumentBuf::new();
    alone.append(mongodb::bson::cstr!("field"), value);
    alone.into_bytes()
}

pub(super) fn id_of(document: &RawDocument) -> Option<Bson> {
    Bson::try_from(document.get(ID).ok().flatten()?).ok()
}
