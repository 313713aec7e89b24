//! Which rows a batch has touched, and in which of its groups last.

use crate::stream::mix;

/// A hash table with a place for each op of the largest batch, twice over; cleared by counting on.
#[derive(Debug, Default)]
pub(super) struct Touched {
    slots: Vec<Slot>,
    generation: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    row: u64,
    table: u32,
    generation: u32,
    level: u32,
    rank: u32,
}

/// A power of two.
const SLOTS: usize = 2 * crate::BATCH_ROWS_MAX;

impl Touched {
    pub(super) fn clear(&mut self) {
        self.slots.resize(SLOTS, Slot::default());
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.slots.fill(Slot::default());
            self.generation = 1;
        }
    }

    /// The level at which an op of this rank may touch a row: the row's last one if the rank is higher, else the next.
    pub(super) fn next(&mut self, table: usize, row: u64, rank: usize) -> usize {
        let (table, rank) = (table as u32, rank as u32);
        let mut at = mix(row ^ u64::from(table) << 56) as usize % SLOTS;
        while self.slots[at].generation == self.generation {
            let slot = &mut self.slots[at];
            if (slot.row, slot.table) == (row, table) {
                slot.level += u32::from(slot.rank >= rank);
                slot.rank = rank;
                return slot.level as usize;
            }
            at = (at + 1) % SLOTS;
        }
        self.slots[at] = Slot { row, table, generation: self.generation, level: 0, rank };
        0
    }
}
