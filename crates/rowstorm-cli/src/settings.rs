//! From settings to what the plan and the runner take.

use std::time::Duration;

use jiff::Timestamp;
use rowstorm::generate::PlanOptions;
use rowstorm::runner::{self, RunOptions};
use rowstorm::schema::{
    AutoOr, ByteSize, IndexTime, Late, Progress, Rate, RunSettings, Shard, Span, TableMode,
};
use rowstorm::sink::PrepareMode;

use crate::document::{Document, epoch_us};
use crate::exit::{Failure, Result};

/// Rows of a table that says nothing of its size, when nothing else ends the run.
const ROWS_DEFAULT: u64 = 1_000_000;

/// The built-in layer: the runner's own defaults, and how often progress is printed.
pub(crate) fn defaults() -> RunSettings {
    let options = RunOptions::default();
    RunSettings {
        rate: Some(Rate::Max),
        batch: Some(options.batch),
        in_flight: Some(options.in_flight),
        objective: Some(options.objective),
        max_bytes_in_flight: Some(ByteSize(options.bytes_in_flight_max)),
        seed: Some(PlanOptions::default().seed),
        table_mode: Some(TableMode::Create),
        indexes: Some(options.indexes),
        max_errors: Some(options.max_errors),
        retry: Some(options.retry),
        timeout: Some(Span(options.timeout)),
        progress: Some(Progress::Every(Span(Duration::from_secs(1)))),
        ..RunSettings::default()
    }
}

/// A run's start, and what `gen: now` says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) started_at: Timestamp,
    pub(crate) epoch_us: i64,
}

impl Clock {
    /// Now; the epoch is the start unless the settings say another.
    pub(crate) fn start(settings: &RunSettings) -> Result<Clock> {
        let started_at = Timestamp::now();
        let epoch_us = match &settings.epoch {
            Some(text) => epoch_us(text)?,
            None => started_at.as_microsecond(),
        };
        Ok(Clock { started_at, epoch_us })
    }
}

/// What the plan is compiled with.
pub(crate) fn plan_options(
    document: &Document,
    settings: &RunSettings,
    clock: Clock,
) -> PlanOptions {
    let open_ended = document.tables().any(|(_, table)| table.preload.is_none());
    let default = (open_ended && settings.duration.is_none()).then_some(ROWS_DEFAULT);
    PlanOptions {
        seed: settings.seed.unwrap_or_else(|| PlanOptions::default().seed),
        epoch_us: clock.epoch_us,
        rows: settings.rows.or(default),
    }
}

/// What the runner takes; `variable` reads the environment of an Indexed Job.
pub(crate) fn run_options(
    document: &Document,
    settings: &RunSettings,
    clock: Clock,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<RunOptions> {
    if settings.late == Some(Late::Drop) && document.schema.changes.is_none() {
        return Err(Failure::usage("`late: drop` is for changes: no row of a load is left out")
            .help("remove it, or say `late: queue`"));
    }
    let defaults = RunOptions::default();
    let epoch = Timestamp::from_microsecond(clock.epoch_us)
        .map_err(|error| Failure::usage(format!("epoch: {error}")))?;
    Ok(RunOptions {
        batch: settings.batch.unwrap_or(AutoOr::Auto),
        in_flight: settings.in_flight.unwrap_or(AutoOr::Auto),
        objective: settings.objective.unwrap_or_default(),
        duration: settings.duration.map(|span| span.0),
        warmup: settings.warmup.map_or(Duration::ZERO, |span| span.0),
        rate: match settings.rate {
            None | Some(Rate::Max) => None,
            Some(Rate::PerSecond(rate)) => Some(rate),
        },
        bytes_in_flight_max: settings
            .max_bytes_in_flight
            .map_or(defaults.bytes_in_flight_max, |size| size.0),
        mode: prepare_mode(settings.table_mode),
        indexes: settings.indexes.unwrap_or(IndexTime::After),
        max_errors: settings.max_errors.unwrap_or_default(),
        retry: settings.retry.unwrap_or(defaults.retry),
        timeout: settings.timeout.map_or(defaults.timeout, |span| span.0),
        shard: settings.shard.map(|shard| part(shard, variable)).transpose()?,
        schema_name: document.name.clone(),
        started_at: clock.started_at.to_string(),
        epoch: epoch.to_string(),
        ..defaults
    })
}

pub(crate) fn prepare_mode(mode: Option<TableMode>) -> PrepareMode {
    match mode {
        None | Some(TableMode::Create) => PrepareMode::Create,
        Some(TableMode::Append) => PrepareMode::Append,
        Some(TableMode::Recreate) => PrepareMode::Recreate,
    }
}

/// The part to write. A Kubernetes Indexed Job counts its pods from 0; parts count from 1.
fn part(shard: Shard, variable: impl Fn(&str) -> Option<String>) -> Result<runner::Shard> {
    let number = |name: &str| {
        let help = "`--shard auto` reads JOB_COMPLETION_INDEX (from 0) and ROWSTORM_SHARDS, as an Indexed Job sets them";
        let text = variable(name)
            .ok_or_else(|| Failure::usage(format!("--shard auto: {name} is not set")).help(help))?;
        text.trim().parse::<u32>().map_err(|_| {
            Failure::usage(format!("--shard auto: {name}=`{text}` is not a number")).help(help)
        })
    };
    match shard {
        Shard::Part { index, of } => Ok(runner::Shard { index, count: of }),
        Shard::Auto => {
            let (index, count) = (number("JOB_COMPLETION_INDEX")?, number("ROWSTORM_SHARDS")?);
            if index >= count {
                return Err(Failure::usage(format!(
                    "--shard auto: JOB_COMPLETION_INDEX={index} is not below ROWSTORM_SHARDS={count}"
                )));
            }
            Ok(runner::Shard { index: index + 1, count })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(list: &[(&str, &str)]) -> Result<runner::Shard> {
        let find = |name: &str| {
            list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        part(Shard::Auto, find)
    }

    #[test]
    fn a_pod_counts_from_0_and_a_part_from_1() {
        let part = auto(&[("JOB_COMPLETION_INDEX", "0"), ("ROWSTORM_SHARDS", "8")]).unwrap();
        assert_eq!(part, runner::Shard { index: 1, count: 8 });
        let part = auto(&[("JOB_COMPLETION_INDEX", "7"), ("ROWSTORM_SHARDS", "8")]).unwrap();
        assert_eq!(part, runner::Shard { index: 8, count: 8 });
    }

    #[test]
    fn an_incomplete_indexed_job_is_told() {
        for list in [
            &[("JOB_COMPLETION_INDEX", "0")][..],
            &[("ROWSTORM_SHARDS", "8")],
            &[("JOB_COMPLETION_INDEX", "8"), ("ROWSTORM_SHARDS", "8")],
            &[("JOB_COMPLETION_INDEX", "x"), ("ROWSTORM_SHARDS", "8")],
        ] {
            assert!(auto(list).unwrap_err().message.starts_with("--shard auto"), "{list:?}");
        }
    }
}
