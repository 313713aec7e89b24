//! Asks the server what it refused in silence, and tells the controller.

use std::sync::Arc;
use std::time::Duration;

use rowstorm_sink::{BoxSink, Sink};
use tokio::time::{MissedTickBehavior, interval};

use crate::desk::Desk;

/// Refusals show within a trial of the controller, and the question costs the server next to nothing.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// Asks until it is dropped, or the server turns out to have nothing to tell. One that cannot be asked is asked again.
pub(crate) async fn watch(sink: BoxSink, desk: Arc<Desk>) {
    let mut ticks = interval(ASKED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match sink.counters().await {
            Ok(Some(counters)) => desk.count(counters),
            Ok(None) => return,
            Err(_) => {}
        }
    }
}
