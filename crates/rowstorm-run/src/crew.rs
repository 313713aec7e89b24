//! The lanes of one table: as many as the decision in force asks for.

use std::sync::Arc;

use rowstorm_sink::{BoxWriter, SinkError};
use tokio::task::JoinSet;

use crate::desk::{Cause, Desk};
use crate::lane::{Lane, Shop};

/// Dropped half-way (the caller gave up the run), lanes finish what they have in hand: a write is never cancelled.
struct Crew {
    lanes: JoinSet<usize>,
    desk: Arc<Desk>,
}

impl Drop for Crew {
    fn drop(&mut self) {
        if !self.lanes.is_empty() {
            self.desk.end(Cause::Stopped);
            self.lanes.detach_all();
        }
    }
}

/// Writes a table's rows. The first connection may be open already.
pub(crate) async fn load(shop: Arc<Shop>, first: Option<BoxWriter>) {
    let mut first = first;
    let mut changes = shop.desk.changes();
    let mut crew = Crew { lanes: JoinSet::new(), desk: Arc::clone(&shop.desk) };
    let mut spawned: Vec<tokio::task::Id> = Vec::new();
    loop {
        changes.borrow_and_update();
        while spawned.len() < shop.desk.width() as usize {
            let number = spawned.len();
            let lane = Lane::new(Arc::clone(&shop), number, first.take());
            let task = crew.lanes.spawn(async move {
                lane.run().await;
                number
            });
            spawned.push(task.id());
        }
        tokio::select! {
            joined = crew.lanes.join_next_with_id() => match joined {
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let lane = spawned.iter().position(|id| *id == error.id());
                    gone(&shop.desk, lane.expect("every lane was spawned here"), error);
                }
                None => break,
            },
            _ = changes.changed() => {}
        }
    }
}

/// A lane that panicked: its rows are unknown, and the run is over.
fn gone(desk: &Desk, lane: usize, error: tokio::task::JoinError) {
    desk.abandon(lane);
    desk.end(Cause::Failed(SinkError::fatal("internal", panic_text(error))));
}

/// What a task said that panicked.
pub(crate) fn panic_text(error: tokio::task::JoinError) -> String {
    if error.is_panic() {
        let panic = error.into_panic();
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a lane panicked".to_owned())
    } else {
        "a lane was cancelled with the runtime".to_owned()
    }
}
