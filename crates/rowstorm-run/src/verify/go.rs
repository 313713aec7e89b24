//! Reads a database, table by table, and compares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use rowstorm_gen::schema::DataType;
use rowstorm_gen::{Plan, PlanOptions, TablePlan, Value};
use rowstorm_report::{VERIFICATION_VERSION, Verification, VerifiedTable};
use rowstorm_sink::{BoxSink, Scope, Sink, SinkError};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;

use super::check::{Check, Share, Suspect};
use super::claim::Claim;
use super::compare::Compare;
use super::findings::Findings;
use super::judge::judge;
use super::keeps::Keeps;
use super::ledger::{ENTRY_BYTES, Ledger};
use super::map::Reading;
use super::options::{Depth, Epoch, VerifyOptions};
use super::sums::Sums;

/// Rows that are struck off at a time.
const ROWS_AT_ONCE: usize = 2_048;

/// Rows that are kept until their reasons are looked for: each time, the ops of their streams are gone through.
const SUSPECTS_MAX: usize = 32_768;

/// One comparison that can be started.
///
/// ```
/// use rowstorm_gen::schema::{Format, Schema};
/// use rowstorm_gen::{Plan, PlanOptions};
/// use rowstorm_run::verify::{Claim, Verify, VerifyOptions};
/// use rowstorm_run::{Run, RunOptions};
/// use rowstorm_sink::{BoxSink, Memory};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let yaml = "version: 1\ntables: { t: { key: [id], preload: 5000, columns: { id: { type: bigint, gen: sequence } } } }";
/// let schema = Schema::parse(yaml, Format::Yaml, "t.yaml")?;
/// let plan = Plan::new(&schema, PlanOptions::default())?;
/// let sink = BoxSink::new(Memory::new());
/// Run::new(plan.clone(), sink.clone(), RunOptions::default()).go().await?;
///
/// let verify = Verify::new(Claim::loaded(plan), sink, VerifyOptions::default());
/// let found = verify.go().await?;
/// assert!(found.verified, "{found:?}");
/// assert_eq!(found.tables[0].compared, Some(5_000));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Verify {
    claim: Arc<Claim>,
    sink: BoxSink,
    options: VerifyOptions,
    read: Arc<AtomicU64>,
}

impl Verify {
    /// A comparison of what must be there with what a sink reads.
    pub fn new(claim: Claim, sink: BoxSink, options: VerifyOptions) -> Verify {
        Verify { claim: Arc::new(claim), sink, options, read: Arc::default() }
    }

    /// Rows that were read so far.
    pub fn rows_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Compares every table.
    ///
    /// # Errors
    /// When the database cannot be reached, lacks a table, or does not answer. What differs is no error.
    pub async fn go(mut self) -> Result<Verification, SinkError> {
        let start = Instant::now();
        let listener = self.options.listener.take();
        let findings = Arc::new(Findings::new(self.options.findings_max, listener));
        let left_out = match self.options.epoch {
            Epoch::Known => Vec::new(),
            Epoch::Unknown => hang_on_epoch(self.claim.plan()),
        };
        let mut tables = Vec::new();
        for table in 0..self.claim.plan().tables().len() {
            let left_out = left_out.get(table).map_or(&[][..], Vec::as_slice);
            tables.push(self.table(table, &findings, left_out).await?);
        }
        let (findings, findings_left_out) = findings.take();
        Ok(Verification {
            verification_version: VERIFICATION_VERSION,
            rowstorm: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: format!("{:016x}", self.claim.fingerprint()),
            seed: self.claim.plan().options().seed,
            seconds: start.elapsed().as_secs_f64(),
            verified: tables.iter().all(VerifiedTable::is_as_expected),
            tables,
            findings,
            findings_left_out,
            ..Verification::default()
        })
    }

    async fn table(
        &self,
        table: usize,
        findings: &Arc<Findings>,
        left_out: &[usize],
    ) -> Result<VerifiedTable, SinkError> {
        let plan = self.claim.table(table);
        let of = |amounts: &[u64]| amounts.get(table).copied().unwrap_or(0);
        let (before, known_missing) = (of(&self.options.before), of(&self.options.known_missing));
        let map = self.options.map.tables.get(&*plan.name);
        let reading = map.map(|map| Reading::new(plan, map));
        let compares = self.compares(plan, left_out, reading.as_ref());
        let mut verified = VerifiedTable {
            table: plan.name.to_string(),
            expected: self.claim.rows(table),
            one_in: if self.options.depth == Depth::Sample { self.shares(table) } else { 1 },
            known_missing,
            notes: Keeps::notes(plan, &compares),
            ..VerifiedTable::default()
        };
        let mut check = Check::new(Arc::clone(&self.claim), table, compares, Arc::clone(findings));
        (check.others_may, check.reading) = (before > 0, reading);
        let check = Arc::new(check);
        let first = match self.options.depth {
            // Counts alone need the sums and no ledger: the smallest share there is.
            Depth::Counts => Share { index: 0, of: u64::MAX },
            Depth::Sample | Depth::Full => Share { index: 0, of: self.shares(table) },
        };
        let (ledger, sums) = on_all_cores(&check, move |check| check.ledger(first)).await;
        self.audit(table, &check, &sums, before, &mut verified).await?;
        if self.options.depth != Depth::Counts {
            self.rows(&check, ledger, first, &mut verified).await?;
        }
        verified.rows = findings.take_wrongs();
        Ok(verified)
    }

    /// Compares the rows, in as many scans as there are shares, or of the first share alone.
    async fn rows(
        &self,
        check: &Arc<Check>,
        mut ledger: Ledger,
        mut share: Share,
        verified: &mut VerifiedTable,
    ) -> Result<(), SinkError> {
        loop {
            ledger = match self.scan(check, ledger, share).await {
                Ok(ledger) => ledger,
                Err(error) if error.class == "no scan" => {
                    verified.notes.push("rows cannot be read back from here".to_owned());
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            on_all_cores(check, move |check| check.rest(&ledger)).await;
            share.index += 1;
            if self.options.depth == Depth::Sample || share.index == share.of {
                break;
            }
            ledger = on_all_cores(check, move |check| check.ledger(share)).await.0;
        }
        on_all_cores(check, Check::end).await;
        verified.compared = Some(check.compared());
        verified.others = check.others.load(Ordering::Relaxed);
        let alike = check.alike.load(Ordering::Relaxed);
        if alike > 0 {
            verified.notes.push(format!(
                "{alike} rows have a key that is another row's in this database: not compared"
            ));
        }
        Ok(())
    }

    fn compares(
        &self,
        plan: &TablePlan,
        left_out: &[usize],
        reading: Option<&Reading>,
    ) -> Vec<Compare> {
        let column = |(place, column): (usize, &rowstorm_gen::ColumnPlan)| {
            let mut compare =
                self.options.keeps.column(column, plan.spec.columns.get(&*column.name));
            compare.ignored = left_out.contains(&place);
            if let Some(reading) = reading {
                reading.compare(place, &mut compare);
            }
            compare
        };
        plan.columns.iter().enumerate().map(column).collect()
    }

    /// Into how many shares the rows are cut, so that a ledger fits the memory.
    fn shares(&self, table: usize) -> u64 {
        let bytes = self.claim.entries(table).saturating_mul(ENTRY_BYTES);
        bytes.div_ceil(self.options.memory_bytes.max(1)).max(1)
    }

    /// Asks the database for counts and sums, where they tell of these rows alone.
    async fn audit(
        &self,
        table: usize,
        check: &Check,
        sums: &Sums,
        before: u64,
        verified: &mut VerifiedTable,
    ) -> Result<(), SinkError> {
        let plan = check.plan();
        if let Some(reading) = &check.reading {
            verified.notes.push(format!(
                "a copy, `{}`: counts and sums are not asked for",
                reading.plan.name
            ));
            return Ok(());
        }
        let scope = match self.claim.range(table) {
            _ if before > 0 => None,
            None if self.claim.is_partial(table) => None,
            Some(rows) if self.claim.is_partial(table) => crate::work::scope(plan, rows),
            None | Some(_) => Some(Scope::Table),
        };
        let Some(scope) = scope else {
            verified
                .notes
                .push("other rows stand there, too: counts and sums are not asked for".to_owned());
            return Ok(());
        };
        let audit = self.sink.audit(plan, &scope).await?;
        verified.counted = Some(audit.rows);
        if verified.known_missing > 0 {
            verified.notes.push("the run knows of missing rows: sums are not compared".to_owned());
            return Ok(());
        }
        let is_left_out = |place: usize| {
            let compare = &check.compares[place];
            compare.ignored || !matches!(compare.data_type, DataType::Int(_))
        };
        verified.contradictions = sums.against(plan, &audit, is_left_out);
        Ok(())
    }

    /// Reads all rows and strikes off those of a share.
    async fn scan(
        &self,
        check: &Arc<Check>,
        ledger: Ledger,
        share: Share,
    ) -> Result<Ledger, SinkError> {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let ledger = Arc::new(ledger);
        let plan = check.reading.as_ref().map(|reading| &reading.plan);
        let plan = plan.unwrap_or_else(|| self.claim.table(check.table));
        let mut scan = self.sink.scan(plan).await?;
        let (mut workers, mut suspects, mut rows) = (JoinSet::new(), Vec::new(), Vec::new());
        let mut ended = false;
        while !ended {
            let read: Vec<Vec<Value>> = scan.next().await?;
            ended = read.is_empty();
            self.read.fetch_add(read.len() as u64, Ordering::Relaxed);
            rows.extend(read);
            if rows.len() < ROWS_AT_ONCE && !ended {
                continue;
            }
            let (found, at) = (std::mem::take(&mut rows), Arc::clone(&ledger));
            let check_rows = Arc::clone(check);
            workers.spawn_blocking(move || check_rows.meet(found, share, &at));
            while workers.len() > if ended { 0 } else { cores } {
                if let Some(done) = workers.join_next().await {
                    suspects.extend(
                        done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())),
                    );
                }
            }
            if suspects.len() >= SUSPECTS_MAX || ended {
                let judged: Vec<Suspect> = std::mem::take(&mut suspects);
                on_all_cores(check, move |check| judge(check, judged)).await;
            }
        }
        Ok(Arc::into_inner(ledger).expect("all workers have ended"))
    }
}

/// Computes aside, where the runtime's threads are not held up.
async fn on_all_cores<T: Send + 'static>(
    check: &Arc<Check>,
    work: impl FnOnce(&Check) -> T + Send + 'static,
) -> T {
    let check = Arc::clone(check);
    let done = spawn_blocking(move || work(&check)).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// By table: the columns whose values hang on the epoch. They are those that another epoch changes.
fn hang_on_epoch(plan: &Plan) -> Vec<Vec<usize>> {
    const ROWS: u64 = 64;
    let epoch_us = plan.options().epoch_us.wrapping_add(86_400_123_456);
    let options = PlanOptions { epoch_us, ..plan.options().clone() };
    let Ok(other) = Plan::new(plan.schema(), options) else { return Vec::new() };
    let differ = |(one, other): (&Arc<TablePlan>, &Arc<TablePlan>)| {
        let (one_rows, other_rows) = (one.rows(0..ROWS), other.rows(0..ROWS));
        let differs = |place: &usize| {
            let mut pairs = one_rows.iter().zip(&other_rows);
            pairs.any(|(one, other)| one.values()[*place] != other.values()[*place])
        };
        (0..one.columns.len()).filter(differs).collect()
    };
    plan.tables().iter().zip(other.tables()).map(differ).collect()
}
