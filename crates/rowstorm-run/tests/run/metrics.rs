//! Metrics are a view of our own counters: what they say is what the record says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit, with_local_recorder,
};
use rowstorm_run::{METRIC_NAMES, describe};
use rowstorm_sink::{Fault, Memory, Writes};

use crate::stage::{KEYED, Slow, options, plan, run};

/// Keeps counters and the number of samples by name and labels.
#[derive(Debug, Default)]
struct Kept(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

struct Samples(Arc<AtomicU64>);

impl HistogramFn for Samples {
    fn record(&self, _: f64) {
        self.0.increment(1);
    }
}

impl Kept {
    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<_> = key.labels().map(::metrics::Label::value).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::clone(self.0.lock().expect("no test panics with it").entry(name).or_default())
    }

    fn get(&self, name: &str) -> u64 {
        let kept = self.0.lock().expect("no test panics with it");
        kept.get(name).unwrap_or_else(|| panic!("{name} of {kept:?}")).load(Ordering::SeqCst)
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Samples(self.cell(key))))
    }
}

#[test]
fn the_metrics_say_what_the_record_says() {
    let memory = Memory::new()
        .with_fault(Fault::Busy { writes: Writes::Every(7), retry_after: None })
        .with_fault(Fault::RefuseRows { every: 100 });
    let slow = Slow::new(memory, Duration::from_millis(100));
    let kept = Kept::default();
    let finished = with_local_recorder(&kept, || {
        describe();
        let paced = rowstorm_run::RunOptions { rate: Some(2_000.0), ..options(50, 2) };
        run(plan(KEYED, Some(3_000)), slow, paced).unwrap()
    });
    let record = &finished.record;
    assert!(record.seconds > 2.0, "several ticks: {}", record.seconds);
    assert_eq!(kept.get("rowstorm_rows_total{t,insert,accepted}"), record.rows.accepted);
    assert_eq!(kept.get("rowstorm_rows_total{t,insert,rejected}"), 30);
    assert_eq!(kept.get("rowstorm_rows_total{t,insert,unknown}"), 0);
    assert_eq!(kept.get("rowstorm_bytes_sent_total{}"), record.bytes_sent);
    assert_eq!(kept.get("rowstorm_batches_total{answered}"), 60);
    assert_eq!(kept.get("rowstorm_batch_duration_seconds{}"), 60);
    assert_eq!(kept.get("rowstorm_response_seconds{}"), 60);
    assert_eq!(kept.get("rowstorm_errors_total{busy}"), record.retries);

    let fed: Vec<String> = kept.0.lock().expect("no test panics with it").keys().cloned().collect();
    for name in METRIC_NAMES {
        assert!(fed.iter().any(|key| key.starts_with(&format!("{name}{{"))), "{name} of {fed:?}");
    }
    for key in fed {
        let name = key.split('{').next().unwrap();
        assert!(METRIC_NAMES.contains(&name), "{name} is in no list");
    }
}
