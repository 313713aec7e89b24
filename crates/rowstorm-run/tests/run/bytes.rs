//! Invariant 8: payload bytes in flight never exceed the budget.

use std::time::Duration;

use proptest::prelude::*;
use rowstorm_run::{RunOptions, Setting};
use rowstorm_sink::{Fault, Limits, Memory};

use crate::stage::{KEYED, Slow, assert_balanced, assert_done, keys, options, plan, run};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn payload_bytes_in_flight_never_exceed_the_budget(
        budget in 20u64..30_000,
        batch in 1u32..500,
        in_flight in 1u32..8,
        rows in 1u64..800,
    ) {
        let slow = Slow::new(Memory::new(), Duration::from_millis(3));
        let options = RunOptions { bytes_in_flight_max: budget, ..options(batch, in_flight) };
        let finished = run(plan(KEYED, Some(rows)), slow.clone(), options).unwrap();
        assert_balanced(&finished);
        prop_assert!(slow.bytes_max() <= budget, "{} of {budget}", slow.bytes_max());
        prop_assert!(finished.record.batch.in_flight_bytes_max >= slow.bytes_max());

        // A row that alone is larger is refused by name; every other row arrives.
        let booked = &finished.record.rows;
        prop_assert_eq!(booked.accepted + booked.rejected, rows);
        prop_assert_eq!(keys(&slow.memory).1 as u64, booked.accepted);
        for error in &finished.record.errors {
            prop_assert_eq!(error.class.as_str(), "too large");
        }
        if budget > 1_000 {
            prop_assert_eq!(booked.accepted, rows);
        }
    }
}

#[test]
fn a_payload_that_is_too_large_is_halved_until_it_fits() {
    let memory = Memory::new().with_fault(Fault::TooLarge { bytes_max: 5_000 });
    let finished = run(plan(KEYED, Some(4_000)), memory.clone(), options(1_000, 2)).unwrap();
    assert_done(&finished);
    // The size is remembered: without that, every batch of 1,000 would be refused once more.
    let refused = finished.record.errors.iter().map(|error| error.count).sum::<u64>();
    assert!(refused < 40, "{refused} refusals in {} writes", memory.writes());
}

#[test]
fn the_limits_of_the_sink_are_kept_before_anything_is_sent() {
    let limits = Limits { rows: 150, bytes: 9_000, writers: 2, idempotent: true };
    let memory = Memory::new().with_limits(limits);
    let finished = run(plan(KEYED, Some(2_000)), memory.clone(), options(1_000, 9)).unwrap();
    assert_done(&finished);
    assert!(finished.record.errors.is_empty(), "{:?}", finished.record.errors);
    assert!(memory.writers() <= 2);
}

#[test]
fn the_budget_holds_at_any_size_while_the_controller_wants_more() {
    // Only latency costs on this server: twice as much in flight is always twice as fast.
    let text = "x".repeat(64 << 10);
    let schema = format!(
        "version: 1\ntables: {{ t: {{ key: [id], columns: {{ id: {{ type: bigint, gen: sequence }}, \
         text: {{ type: text, gen: {{ constant: {text} }} }} }} }} }}"
    );
    for mib in [16, 64, 256] {
        let budget = mib << 20;
        let slow = Slow::new(Memory::new(), Duration::from_millis(200)).forgetting();
        let options = RunOptions {
            batch: Setting::Auto,
            in_flight: Setting::Auto,
            bytes_in_flight_max: budget,
            ..options(1, 1)
        };
        let rows = budget / (64 << 10) * 20;
        let finished = run(plan(&schema, Some(rows)), slow.clone(), options).unwrap();
        assert_done(&finished);
        assert_balanced(&finished);
        let most = finished.record.batch.in_flight_bytes_max;
        assert!(slow.bytes_max() <= most && most <= budget, "{most} of {mib} MiB");
        // It went as far as it might.
        assert!(slow.bytes_max() > budget / 3, "{} of {mib} MiB", slow.bytes_max());
    }
}
