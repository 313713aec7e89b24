//! Shards: any split gives the same rows, and no shard touches another's.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rowstorm_run::{PrepareMode, RunError, RunOptions, Shard};
use rowstorm_sink::Memory;

use crate::stage::{KEYED, SHOP, assert_done, options, plan, run};

fn shard(index: u32, count: u32) -> RunOptions {
    RunOptions { shard: Some(Shard { index, count }), ..options(37, 2) }
}

fn rows(memory: &Memory, table: &str) -> BTreeSet<String> {
    memory.rows(table).iter().map(|row| format!("{row:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_into_shards_gives_the_same_rows(count in 1u32..9, total in 0u64..500) {
        let whole = Memory::new();
        assert_done(&run(plan(SHOP, Some(total)), whole.clone(), options(50, 2)).unwrap());
        let parts = Memory::new();
        // Whichever comes first makes the table.
        for index in (1..=count).rev() {
            let finished =
                run(plan(SHOP, Some(total)), parts.clone(), shard(index, count)).unwrap();
            assert_done(&finished);
            prop_assert_eq!(finished.record.rows.audited, Some(finished.record.rows.planned));
        }
        for table in ["customers", "orders"] {
            prop_assert_eq!(rows(&whole, table), rows(&parts, table));
            prop_assert_eq!(whole.rows(table).len(), parts.rows(table).len());
        }
    }
}

#[test]
fn a_shard_that_is_there_already_is_refused() {
    let memory = Memory::new();
    assert_done(&run(plan(KEYED, Some(100)), memory.clone(), shard(1, 3)).unwrap());
    let again = run(plan(KEYED, Some(100)), memory.clone(), shard(1, 3)).unwrap_err();
    assert!(matches!(again, RunError::Target(_)), "{again}");
    assert!(again.to_string().contains("`id` from 1 to 33"), "{again}");
    assert_done(&run(plan(KEYED, Some(100)), memory.clone(), shard(2, 3)).unwrap());
    assert_eq!(memory.rows("t").len(), 66);
}

#[test]
fn a_shard_never_drops_what_others_wrote() {
    let options = RunOptions { mode: PrepareMode::Recreate, ..shard(2, 3) };
    let error = run(plan(KEYED, Some(100)), Memory::new(), options).unwrap_err();
    assert!(matches!(error, RunError::Options(_)), "{error}");
    assert!(error.to_string().contains("other shards"), "{error}");
}
