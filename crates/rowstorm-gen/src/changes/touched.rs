//! Which rows a batch has touched, and in which of its groups last.

use crate::stream::mix;

/// A hash table with places for the two rows of each op of the largest batch, twice over; cleared by counting on.
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
const SLOTS: usize = 4 * crate::BATCH_ROWS_MAX;

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
        let (slot, is_new) = self.slot(table, row);
        if !is_new {
            slot.level += u32::from(slot.rank >= rank as u32);
        }
        slot.rank = rank as u32;
        slot.level as usize
    }

    /// Says where a new row was touched, and the level again.
    pub(super) fn put(&mut self, table: usize, row: u64, level: usize, rank: usize) -> usize {
        let (slot, _) = self.slot(table, row);
        (slot.level, slot.rank) = (level as u32, rank as u32);
        level
    }

    /// The slot of a row, and whether the batch has just met it.
    fn slot(&mut self, table: usize, row: u64) -> (&mut Slot, bool) {
        let (table, generation) = (table as u32, self.generation);
        let mut at = mix(row ^ u64::from(table) << 56) as usize % SLOTS;
        while self.slots[at].generation == generation
            && (self.slots[at].row, self.slots[at].table) != (row, table)
        {
            at = (at + 1) % SLOTS;
        }
        let slot = &mut self.slots[at];
        let is_new = slot.generation != generation;
        if is_new {
            *slot = Slot { row, table, generation, level: 0, rank: 0 };
        }
        (slot, is_new)
    }
}
