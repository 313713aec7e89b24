//! The hash that names a plan's data.

use rowstorm_schema::{Column, Schema};

use super::{Custom, order};
use crate::stream::mix;

const PLAIN: &str = "a schema is plain data with text keys";

/// A hash of everything that values hang on: generator version, seed, each table's name, series and columns (name,
/// type, generator, nulls, unique, per), and the rows of tables that others refer to. Not the epoch, other row counts,
/// keys, indexes, column types in a database's own words, or settings.
pub(super) fn of(schema: &Schema, seed: u64, rows: &[Option<u64>], customs: &[Custom]) -> u64 {
    let mut hash = Hash::new();
    hash.number(u64::from(crate::GENERATOR_VERSION));
    hash.number(seed);
    let mut parents = Vec::new();
    for (name, table) in &schema.tables {
        hash.text(name);
        hash.text(&serde_json::to_string(&table.series).expect(PLAIN));
        for (name, column) in &table.columns {
            hash.text(name);
            hash.text(&serde_json::to_string(&bare(column)).expect(PLAIN));
            order::refs(&column.generator, &mut parents);
        }
    }
    for ((name, _), rows) in schema.tables.iter().zip(rows) {
        if parents.contains(&name.as_str()) {
            hash.number(rows.unwrap_or(u64::MAX));
        }
    }
    for custom in customs {
        hash.text(&custom.table);
        hash.text(&custom.column);
        hash.text("a fill of your own");
    }
    hash.end()
}

/// A column without what does not touch its values.
fn bare(column: &Column) -> Column {
    Column { unit: None, ddl: indexmap::IndexMap::new(), ..column.clone() }
}

/// FNV-1a over 64 bits; every part is closed by its length, so that parts do not run together.
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new() -> Hash {
        Hash(0xCBF2_9CE4_8422_2325)
    }

    pub(crate) fn end(self) -> u64 {
        mix(self.0)
    }

    pub(crate) fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.byte(byte));
        self.number(text.len() as u64);
    }

    pub(crate) fn number(&mut self, number: u64) {
        number.to_le_bytes().into_iter().for_each(|byte| self.byte(byte));
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
}
