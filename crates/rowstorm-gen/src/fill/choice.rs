//! Values out of a fixed list: codes into entries.

use std::sync::Arc;

use super::alias::Alias;
use super::below;
use crate::{ColumnData, Fill, Rows, Stream, Values};

/// Codes of entries that are drawn alike or by weight.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) entries: Arc<ColumnData>,
    pub(crate) pick: Pick,
}

/// How an entry is drawn.
#[derive(Debug)]
pub(crate) enum Pick {
    /// Each alike.
    Alike,
    /// By weight.
    Weighted(Alias),
    /// There is only one.
    Only,
}

impl Pick {
    /// A draw by these weights.
    pub(crate) fn weighted(weights: &[f64]) -> Pick {
        Pick::Weighted(Alias::new(weights))
    }
}

impl Fill for Choice {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        let codes = out.codes(&self.entries);
        match &self.pick {
            Pick::Alike => {
                let most = self.entries.values.len() as u64 - 1;
                below::fill(stream, &rows, most, codes, |code| code as u32);
            }
            Pick::Weighted(alias) => {
                rows.map_into(codes, |row| alias.at(stream.at(row).bits()));
            }
            Pick::Only => codes.resize(rows.len(), 0),
        }
    }
}
