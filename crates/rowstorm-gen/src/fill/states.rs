//! States that updates walk through: a start for every row, and the state after so many moves, computed.

use std::sync::Arc;

use super::alias::Alias;
use crate::{Cell, ColumnData, Fill, Rows, Stream, Values};

/// States and the moves between them. As a fill, the states in which rows start.
#[derive(Debug)]
pub(crate) struct Machine {
    /// All states.
    pub(crate) entries: Arc<ColumnData>,
    starts: Draw,
    next: Vec<Next>,
}

/// Some states by weight.
#[derive(Debug)]
pub(crate) struct Draw {
    states: Vec<u32>,
    by: Alias,
}

impl Draw {
    /// At least one state; weights above 0.
    pub(crate) fn new(states: Vec<u32>, weights: &[f64]) -> Draw {
        Draw { states, by: Alias::new(weights) }
    }

    #[inline]
    fn at(&self, cell: Cell) -> u32 {
        self.states[self.by.at(cell.bits()) as usize]
    }
}

/// Where a state leads.
#[derive(Debug)]
enum Next {
    /// Nowhere.
    End,
    /// Round and round: this state first, then those that follow it until it comes again.
    Ring(Vec<u32>),
    /// To one of these.
    Draw(Draw),
}

impl Machine {
    /// A machine of these states, where `next` leads from each; `None` at an end. No state with a choice is reached
    /// again.
    pub(crate) fn new(entries: Arc<ColumnData>, starts: Draw, next: Vec<Option<Draw>>) -> Machine {
        let rings: Vec<_> = (0..next.len() as u32).map(|state| ring(&next, state)).collect();
        let next = next
            .into_iter()
            .zip(rings)
            .map(|(next, ring)| match (ring, next) {
                (Some(ring), _) => Next::Ring(ring),
                (None, Some(draw)) => Next::Draw(draw),
                (None, None) => Next::End,
            })
            .collect();
        Machine { entries, starts, next }
    }

    /// The state in which a row starts that is drawn at this cell.
    pub(crate) fn start(&self, cell: Cell) -> u32 {
        self.starts.at(cell)
    }

    /// The state after some moves; the row's own cell draws them.
    pub(crate) fn walk(&self, start: u32, moves: u64, cell: Cell) -> u32 {
        let mut state = start;
        for done in 0..moves {
            match &self.next[state as usize] {
                Next::End => return state,
                Next::Ring(ring) => return ring[((moves - done) % ring.len() as u64) as usize],
                Next::Draw(draw) => state = draw.at(cell.draw(done as u32 + 1)),
            }
        }
        state
    }
}

/// The ring that a state is part of: every state of it leads to one other only.
fn ring(next: &[Option<Draw>], start: u32) -> Option<Vec<u32>> {
    let mut ring = vec![start];
    loop {
        let last = *ring.last()? as usize;
        let [only] = next[last].as_ref()?.states[..] else { return None };
        if only == start {
            return Some(ring);
        }
        if ring.contains(&only) {
            return None;
        }
        ring.push(only);
    }
}

impl Fill for Machine {
    fn fill(&self, stream: Stream, rows: Rows<'_>, out: &mut Values) {
        rows.map_into(out.codes(&self.entries), |row| self.start(stream.at(row)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(states: &[u32]) -> Draw {
        Draw::new(states.to_vec(), &vec![1.0; states.len()])
    }

    /// 0 → 1 or 4; 1 → 2; 2 → 3; 3 → 2; 4 ends.
    #[test]
    fn a_walk_is_its_single_moves() {
        let next = vec![Some(to(&[1, 4])), Some(to(&[2])), Some(to(&[3])), Some(to(&[2])), None];
        let machine = Machine::new(Arc::default(), Draw::new(vec![0], &[1.0]), next);
        let mut ends = [0; 5];
        for row in 0..200 {
            let cell = Stream::new(3).at(row);
            for moves in 0..12 {
                let (here, there) =
                    (machine.walk(0, moves, cell), machine.walk(0, moves + 1, cell));
                let may: &[u32] = match here {
                    0 => &[1, 4],
                    1 | 3 => &[2],
                    2 => &[3],
                    _ => &[4],
                };
                assert!(may.contains(&there), "{here} → {there}");
            }
            ends[machine.walk(0, 1_000_000_000, cell) as usize] += 1;
        }
        assert!(ends[4] > 60 && ends[2] + ends[3] > 60, "{ends:?}");
    }
}
