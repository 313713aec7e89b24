//! The budget of payload bytes: a limit that holds whatever the controller says.
//!
//! A lane reserves before it makes a payload and gives back when the last row is booked; a retry keeps what it has. The
//! estimate may be too small, so a payload that grows beyond its reservation takes more if there is room at once, and
//! never waits for it (two lanes that wait for each other's bytes would wait for ever): it is dropped and made again
//! in halves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A semaphore counts to 2^61, one acquisition to 2^32: budgets above 1 GiB are counted in larger units.
const PERMITS_MAX: u64 = 1 << 30;

#[derive(Debug)]
pub(crate) struct Budget {
    room: Arc<Semaphore>,
    unit: u64,
    bytes_max: u64,
    held: AtomicU64,
    held_max: AtomicU64,
}

/// Bytes that one lane may fill.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    permit: OwnedSemaphorePermit,
    held: u64,
}

impl Budget {
    pub(crate) fn new(bytes_max: u64) -> Arc<Budget> {
        let unit = bytes_max.div_ceil(PERMITS_MAX).max(1);
        Arc::new(Budget {
            room: Arc::new(Semaphore::new((bytes_max / unit) as usize)),
            unit,
            bytes_max,
            held: AtomicU64::new(0),
            held_max: AtomicU64::new(0),
        })
    }

    /// The most that one reservation can hold.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max / self.unit * self.unit
    }

    /// The bytes of all finished payloads that were not booked yet.
    pub(crate) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// The most they ever were.
    pub(crate) fn held_max(&self) -> u64 {
        self.held_max.load(Ordering::Relaxed)
    }

    fn permits(&self, bytes: u64) -> u32 {
        bytes.min(self.bytes_max()).div_ceil(self.unit) as u32
    }

    /// Takes room if it is there now.
    pub(crate) fn try_reserve(self: &Arc<Self>, bytes: u64) -> Option<Reservation> {
        let permit = Arc::clone(&self.room).try_acquire_many_owned(self.permits(bytes)).ok()?;
        Some(Reservation { budget: Arc::clone(self), permit, held: 0 })
    }

    /// Waits for room. More than the whole budget is cut to the whole budget.
    pub(crate) async fn reserve(self: &Arc<Self>, bytes: u64) -> Reservation {
        let permit = Arc::clone(&self.room)
            .acquire_many_owned(self.permits(bytes))
            .await
            .expect("the semaphore is never closed");
        Reservation { budget: Arc::clone(self), permit, held: 0 }
    }
}

impl Reservation {
    /// The bytes that are covered.
    pub(crate) fn bytes(&self) -> u64 {
        self.permit.num_permits() as u64 * self.budget.unit
    }

    /// Covers `bytes`, with more room if it is there now; `false` if it is not.
    pub(crate) fn cover(&mut self, bytes: u64) -> bool {
        let Some(more) = bytes.checked_sub(self.bytes()).filter(|more| *more > 0) else {
            return true;
        };
        let permits = more.div_ceil(self.budget.unit);
        let Ok(permits) = u32::try_from(permits) else { return false };
        match Arc::clone(&self.budget.room).try_acquire_many_owned(permits) {
            Ok(permit) => {
                self.permit.merge(permit);
                true
            }
            Err(_) => false,
        }
    }

    /// The payload is whole: gives back what it does not need, and counts it as in flight until this is dropped.
    ///
    /// # Panics
    /// If it is not covered.
    pub(crate) fn hold(&mut self, bytes: u64) {
        assert!(bytes <= self.bytes(), "a payload of {bytes} bytes has {} reserved", self.bytes());
        let spare = self.permit.num_permits() as u64 - bytes.div_ceil(self.budget.unit);
        drop(self.permit.split(spare as usize));
        let before = self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        self.budget.held.fetch_sub(self.held, Ordering::Relaxed);
        let now = before + bytes - self.held;
        self.held = bytes;
        self.budget.held_max.fetch_max(now, Ordering::Relaxed);
        assert!(now <= self.budget.bytes_max, "payloads in flight are within the budget");
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reservation_grows_only_into_free_room() {
        let budget = Budget::new(1_000);
        let mut first = budget.reserve(600).await;
        let mut second = budget.reserve(300).await;
        assert!(first.cover(700) && !second.cover(301));
        first.hold(500);
        assert_eq!(first.bytes(), 500);
        assert!(second.cover(500));
        second.hold(500);
        assert_eq!((budget.held(), budget.held_max()), (1_000, 1_000));
        drop(first);
        assert_eq!((budget.held(), budget.held_max()), (500, 1_000));
    }

    #[tokio::test]
    async fn large_budgets_are_counted_in_larger_units() {
        let budget = Budget::new(3 << 40);
        let mut all = budget.reserve(u64::MAX).await;
        all.hold(3 << 40);
        assert_eq!(budget.held(), 3 << 40);
        assert!(!all.cover((3 << 40) + 1));
    }
}
