//! The lanes of the changes: all of them from the start.

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
    for number in 0..shop.work.in_flight as usize {
        let lane = Lane::new(Arc::clone(&shop), number, first.take());
        crew.lanes.spawn(lane.run());
    }
    let mut panicked = false;
    while let Some(joined) = crew.lanes.join_next().await {
        if let Err(error) = joined {
            panicked = true;
            let text = crate::crew::panic_text(error);
            shop.desk.end(Cause::Failed(SinkError::fatal("internal", text)));
        }
    }
    shop.desk.close(panicked);
}
