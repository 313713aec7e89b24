//! A lane does an event: on a connection of its own, while no transaction is in hand.

use std::sync::Arc;
use std::time::Duration;

use rowstorm_sink::{Delivery, Event, Sink, SinkError, SinkErrorKind};
use tokio::time::{Instant, sleep, timeout};

use super::{Lane, unwritten};
use crate::backoff;
use crate::changes::script::{Ending, Told};
use crate::desk::Cause;

/// The class of an event that was not answered in time.
const TIMEOUT: &str = "timeout";

impl Lane {
    /// Does the event of this number. It is marked in the progress before it is sent and after its answer, so that after a kill it
    /// is done once more: then a statement that is refused may have been done the first time, and the run goes on.
    pub(super) async fn event(&mut self, number: usize, was_begun: bool) {
        let shop = Arc::clone(&self.shop);
        let marked = |done: bool| {
            let journal = shop.journal.as_ref();
            journal.map_or(Ok(()), |journal| journal.event(number, done))
        };
        if let Err(error) = marked(false) {
            shop.desk.end(Cause::Failed(unwritten(&error)));
            return shop.desk.leave_event();
        }
        let start = Instant::now();
        let (told, failed) = self.until_told(number, was_begun).await;
        // One that was refused, or never sent, is not in doubt; its mark goes back.
        let mark = match told.end {
            Ending::Done(_) | Ending::RefusedAgain(_) => marked(true),
            Ending::Refused(_) => {
                shop.journal.as_ref().map_or(Ok(()), |journal| journal.no_event(number))
            }
            Ending::InDoubt(_) => Ok(()),
        };
        // The run ends before the event is settled: it is not to be handed out again.
        if let Some(error) = failed {
            shop.desk.end(Cause::Failed(error));
        }
        if let Err(error) = mark {
            shop.desk.end(Cause::Failed(unwritten(&error)));
        }
        shop.desk.settle_event(start.elapsed(), told);
    }

    /// Sends it until it is answered, or cannot be.
    async fn until_told(&mut self, number: usize, was_begun: bool) -> (Told, Option<SinkError>) {
        let shop = Arc::clone(&self.shop);
        let scripted = &shop.work.events[number];
        let options = &shop.options;
        let give_up_at = Instant::now() + options.reconnect;
        let (mut again, mut attempts) = (was_begun, 0);
        loop {
            let error = match self.send_event(number).await {
                Ok(rows) => return (Told { end: Ending::Done(rows), attempts }, None),
                Err(error) => error,
            };
            shop.desk.trouble(&error);
            attempts += 1;
            let text = format!("{}: {}", error.class, error.message);
            let is_over = match error.kind {
                SinkErrorKind::Busy { .. } => attempts > options.retry,
                SinkErrorKind::Lost(delivery) => {
                    again |= delivery == Delivery::InDoubt;
                    Instant::now() >= give_up_at
                }
                // It may be done yet, or never: the next run finds out.
                SinkErrorKind::Fatal if error.class == TIMEOUT => {
                    again = true;
                    true
                }
                SinkErrorKind::TooLarge | SinkErrorKind::Fatal => {
                    if again && matches!(scripted.event, Event::Statement(_)) {
                        return (Told { end: Ending::RefusedAgain(text), attempts }, None);
                    }
                    true
                }
            };
            if is_over {
                let end = if again { Ending::InDoubt(text) } else { Ending::Refused(text) };
                let message = format!(
                    "changes.events[{number}], `{}`, after {} ops: {}",
                    scripted.words,
                    shop.desk.ops_done(),
                    error.message
                );
                let kind = SinkErrorKind::Fatal;
                return (Told { end, attempts }, Some(SinkError { kind, message, ..error }));
            }
            shop.desk.retried_event();
            sleep(backoff::pause(number as u64, attempts - 1)).await;
        }
    }

    /// Sends it once, and never cancels.
    async fn send_event(&mut self, number: usize) -> Result<Option<u64>, SinkError> {
        let (work, sink) = (Arc::clone(&self.shop.work), self.shop.sink.clone());
        let mut sent = Box::pin(async move { sink.event(&work.events[number].event).await });
        let patience: Duration = self.patience();
        let Ok(answer) = timeout(patience, sent.as_mut()).await else {
            tokio::spawn(sent);
            let text = format!("no answer within {patience:?}; a longer --timeout waits longer");
            return Err(SinkError::new(SinkErrorKind::Fatal, TIMEOUT, text));
        };
        answer
    }
}
