//! Looks at a copy again and again while a run goes on: how fresh it is, whether it keeps up, how long it drains.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use rowstorm_gen::changes::ChangePlan;
use rowstorm_gen::schema::FieldMap;
use rowstorm_report::{Finding, Look, LostOp, Verification};
use rowstorm_sink::{BoxSink, SinkError};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::claim::Claim;
use super::fresh::Fresh;
use super::go::Verify;
use super::keeps::Keeps;
use super::options::{Depth, VerifyOptions};

/// How often the run's progress is read: the times of commits are exact to this.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);

/// Looks at a copy while a run goes on.
///
/// Each look is a comparison with what the ops that were done when it began leave. A row that lacks its last op is backlog; the op is
/// fresh as soon as a look no longer misses it.
pub struct Follow {
    /// The changes that the run does.
    pub changes: ChangePlan,
    /// The copy.
    pub sink: BoxSink,
    /// Where the run stands.
    pub state: StateSource,
    /// What the copy's database keeps of a value.
    pub keeps: Keeps,
    /// How the copy differs.
    pub map: FieldMap,
    /// Bytes that a look's ledger may take.
    pub memory_bytes: u64,
    /// Findings of the last look that are kept.
    pub findings_max: usize,
    /// The pause between two looks.
    pub pause: Duration,
    /// How long after the run's end a backlog may stand still before it is given up.
    pub patience: Duration,
}

/// Says where a run stands; asked twenty times a second.
pub type StateSource = Box<dyn Fn() -> io::Result<RunState> + Send + Sync>;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// How many ops of each stream are done.
    pub done: Vec<u64>,
    /// Whether it has ended.
    pub over: bool,
}

/// Why a copy cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The copy does not answer.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The run's progress cannot be read.
    #[error("the run's progress cannot be read: {0}")]
    Progress(#[from] io::Error),
}

impl Follow {
    /// Looks until the run is over and nothing is lacking, or nothing moves any more.
    ///
    /// # Errors
    /// When the copy, or where the run stands, cannot be read.
    pub async fn go(&self, mut told: impl FnMut(&Look)) -> Result<Verification, FollowError> {
        let start = Instant::now();
        let mut fresh = Fresh::new(self.changes.clone(), (self.state)()?.done);
        let (mut ended_at, mut moved_at, mut backlog) = (None, 0.0, u64::MAX);
        loop {
            let RunState { done, over } = (self.state)()?;
            if over {
                ended_at.get_or_insert(start.elapsed().as_secs_f64());
                fresh.run_ended();
            }
            fresh.done(start.elapsed().as_secs_f64(), done.clone());
            let (found, lacking) = self.look(&done, start, &mut fresh).await?;
            let at = start.elapsed().as_secs_f64();
            let look = fresh.looked(at, &done, &lacking);
            told(&look);
            if look.backlog != backlog || ended_at.is_none() {
                (backlog, moved_at) = (look.backlog, at);
            }
            let gives_up = at - moved_at >= self.patience.as_secs_f64();
            match ended_at {
                Some(ended) if found.verified || gives_up => {
                    let drained = found.verified.then_some(at - ended);
                    return Ok(Verification { followed: Some(fresh.followed(drained)), ..found });
                }
                Some(_) | None => sleep(self.pause).await,
            }
        }
    }

    /// One comparison; the run's progress is read on meanwhile.
    async fn look(
        &self,
        done: &[u64],
        start: Instant,
        fresh: &mut Fresh,
    ) -> Result<(Verification, HashSet<LostOp>), FollowError> {
        let (changes, done) = (self.changes.clone(), done.to_vec());
        let claim = tokio::task::spawn_blocking(move || Claim::changed(&changes, &done)).await;
        let claim = claim.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let lacking: Arc<Mutex<HashSet<LostOp>>> = Arc::default();
        let lost = Arc::clone(&lacking);
        let options = VerifyOptions {
            depth: Depth::Full,
            memory_bytes: self.memory_bytes,
            findings_max: self.findings_max,
            keeps: self.keeps,
            map: self.map.clone(),
            listener: Some(Box::new(move |finding: &Finding| {
                lost.lock().unwrap_or_else(PoisonError::into_inner).extend(finding.lost);
            })),
            ..VerifyOptions::default()
        };
        let looking = Verify::new(claim, self.sink.clone(), options).go();
        tokio::pin!(looking);
        let mut ticks = interval(PROGRESS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let found = loop {
            tokio::select! {
                found = &mut looking => break found?,
                _ = ticks.tick() => fresh.done(start.elapsed().as_secs_f64(), (self.state)()?.done),
            }
        };
        let lacking = std::mem::take(&mut *lacking.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((found, lacking))
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Follow").field("changes", &self.changes).finish_non_exhaustive()
    }
}
