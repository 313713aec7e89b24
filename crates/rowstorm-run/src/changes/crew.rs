//! The lanes of the changes: as many as the decision in force asks for.

use std::sync::Arc;

use rowstorm_sink::{BoxChanger, SinkError};
use tokio::task::JoinSet;

use super::desk::Desk;
use super::lane::{Lane, Shop};
use crate::desk::Cause;

/// Dropped half-way (the caller gave up the run), lanes finish what they have in hand: a write is never cancelled.
struct Crew {
    lanes: JoinSet<()>,
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

/// Makes all changes. The first connection is open already.
pub(crate) async fn work(shop: Arc<Shop>, first: BoxChanger) {
    let mut crew = Crew { lanes: JoinSet::new(), desk: Arc::clone(&shop.desk) };
    let mut first = Some(first);
    let mut changes = shop.desk.changes();
    let (mut spawned, mut panicked) = (0, false);
    loop {
        changes.borrow_and_update();
        while spawned < shop.desk.width() as usize {
            let lane = Lane::new(Arc::clone(&shop), spawned, first.take());
            crew.lanes.spawn(lane.run());
            spawned += 1;
        }
        tokio::select! {
            joined = crew.lanes.join_next() => match joined {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    panicked = true;
                    let text = crate::crew::panic_text(error);
                    shop.desk.end(Cause::Failed(SinkError::fatal("internal", text)));
                }
                None => break,
            },
            _ = changes.changed() => {}
        }
    }
    shop.desk.close(panicked);
}
