//! The explorer on simulated databases: the scenario files with their bands, a gate of drawn surfaces, replay and memory.
//!
//! The whole table is `cargo xtask bench controller`; this is the part of it that fits into a few seconds.

use std::time::Duration;

use rowstorm_control::sim::{self, Bench, Frozen, Scenario, Simulation, Surface, Weather};
use rowstorm_control::{
    Controller, End, Explorer, ExplorerOptions, Fixed, Objective, Observation, Reason, Verdict,
};

fn explorer(surface: &Surface) -> Explorer {
    let options = ExplorerOptions::new(surface.bounds(), surface.row_bytes);
    let objective = if surface.p99_ms > 0.0 {
        Objective::P99Below(Duration::from_secs_f64(surface.p99_ms * 1e-3))
    } else {
        Objective::Throughput
    };
    Explorer::new(ExplorerOptions { objective, ..options })
}

/// What a run of a minute loses that is told when it ends, and one that is not.
fn losses_of_a_minute(scenario: &Scenario, seed: u64) -> [f64; 2] {
    let best = sim::best(scenario);
    let surface = &scenario.regimes[0].surface;
    let ends = [End { at: Some(Duration::from_mins(1)), rows: None }, End::default()];
    ends.map(|end| {
        let options = ExplorerOptions::new(surface.bounds(), surface.row_bytes);
        let mut explorer = Explorer::new(ExplorerOptions { end, ..options });
        Bench::new(scenario, &best, seed, 60.0).judge(&mut explorer, Frozen::Left).regret
    })
}

#[test]
fn a_run_that_is_told_its_end_loses_less() {
    let steady = ["postgres-unnest", "crate-one-node", "mongo-majority", "wide-area"];
    let scenarios = sim::tuned().into_iter().filter(|one| steady.contains(&one.name.as_str()));
    let [told, untold] = scenarios.fold([0.0, 0.0], |[told, untold], scenario| {
        let [with, without] = losses_of_a_minute(&scenario, 3);
        [told + with, untold + without]
    });
    assert!(told < 0.95 * untold, "{told:.4} {untold:.4}");
}

fn score(scenario: &Scenario, seed: u64) -> sim::Score {
    let best = sim::best(scenario);
    let bench = Bench::new(scenario, &best, seed, 600.0);
    bench.judge(&mut explorer(&scenario.regimes[0].surface), Frozen::Left)
}

#[test]
fn every_scenario_stays_within_its_bands() {
    let mut breaches = Vec::new();
    for scenario in sim::tuned() {
        let score = score(&scenario, 1);
        for (figure, most) in &scenario.expect {
            let value = match figure.as_str() {
                "regret_pct" => score.regret * 100.0,
                "steady_pct" => score.steady * 100.0,
                "refused_pct" => score.refused * 100.0,
                "hidden_pct" => score.hidden * 100.0,
                "late_pct" => score.late * 100.0,
                "recovery_s" => score.recovery.iter().copied().fold(0.0, f64::max),
                other => panic!("{}: there is no figure `{other}`", scenario.name),
            };
            if value > *most {
                breaches.push(format!("{}: {figure} is {value:.2}, at most {most}", scenario.name));
            }
        }
        assert_eq!(score.over_budget, 0, "{}", scenario.name);
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn drawn_surfaces_are_near_the_best_fixed_setting() {
    // Numbers that are neither tuned on nor in the table.
    let mut regrets: Vec<f64> =
        (5_000..5_008).map(|number| score(&sim::draw(number), number).regret).collect();
    regrets.sort_by(f64::total_cmp);
    assert!(regrets[3] < 0.06 && regrets[7] < 0.30, "{regrets:.3?}");
}

#[test]
fn a_flat_surface_leaves_it_where_it_started() {
    let flat = sim::tuned().into_iter().find(|one| one.name == "flat").expect("it is there");
    let mut wandered = 0;
    for seed in 0..20 {
        let mut explorer = explorer(&flat.regimes[0].surface);
        let start = explorer.kept().footprint();
        play(&flat, seed, 300.0, &mut explorer);
        let ratio = explorer.kept().footprint() / start;
        wandered += u32::from(!(1.0 / 1.5..=1.5).contains(&ratio));
    }
    assert!(wandered <= 1, "{wandered} of 20 wandered");
}

#[test]
fn a_notch_does_not_hold_it_below_what_is_good_on_many_servers() {
    let scenarios = sim::tuned();
    for name in ["postgres-copy", "postgres-notch", "postgres-unnest", "mariadb-load"] {
        let scenario = scenarios.iter().find(|one| one.name == name).expect("it is there");
        let mut below = 0;
        for seed in 0..20 {
            let mut explorer = explorer(&scenario.regimes[0].surface);
            let ours = play(scenario, seed, 12.0, &mut explorer).rows_between(3.0, 12.0);
            let mut fixed = Fixed::new(10_000, 4);
            let theirs = play(scenario, seed, 12.0, &mut fixed).rows_between(3.0, 12.0);
            below += u32::from(ours < 0.9 * theirs);
        }
        assert!(below == 0, "{name}: {below} of 20 runs are below 0.9 of a fixed 10,000 x 4");
    }
}

#[test]
fn a_server_that_is_pushed_until_it_stops_is_tried_with_less_for_longer() {
    // Pages can be written at half of the speed at which they can be dirtied.
    let text = "workers 4\nbatch_ms 4\nrow_us 10\nrow_bytes 200\nnoise 0.1\nwander 0.02\n\
                dirty_bytes 600_000_000\ndrain_bytes 36_000_000\n";
    let scenario = Scenario::parse("pushed", text).expect("it is well formed");
    let mut explorer = explorer(&scenario.regimes[0].surface);
    let journal = play(&scenario, 1, 400.0, &mut explorer).journal;
    let long = |reason: &Reason| matches!(reason, Reason::Long { .. });
    assert!(journal.iter().any(|(_, decided)| long(&decided.reason)));
}

#[test]
fn a_server_that_stands_again_and_again_is_tried_with_less_though_a_trial_is_not_over() {
    // A drawn surface: every pair of a trial meets a pause, and twelve of them take four minutes.
    let text = "batch_ms 16.4\nrow_us 56.4\nnotch 0.69\nsigma 0.0034\nkappa 0.000045\nnetwork_ms 6\nnoise 0.38\n\
                spike_share 0.0033\nspike_factor 10.5\nwander 0.052\nwander_s 9\nstall_every_s 20\nstall_s 3.8\n\
                stall_factor 0.2\ndirty_bytes 100_600_000\ndrain_bytes 3_000_000\nrow_bytes 105.5\nbudget_bytes 47_186_000\n\
                in_flight_max 70\n";
    let scenario = Scenario::parse("stands", text).expect("it is well formed");
    for seed in 500..510 {
        let mut explorer = explorer(&scenario.regimes[0].surface);
        let journal = play(&scenario, seed, 400.0, &mut explorer).journal;
        let long = |reason: &Reason| matches!(reason, Reason::Long { .. });
        let first = journal.iter().find(|(_, decided)| long(&decided.reason));
        let at = first.map_or(Duration::MAX, |(seen, _)| seen.at);
        assert!(at < Duration::from_secs(170), "{seed}: {at:?}");
    }
}

#[test]
fn a_server_that_has_become_three_times_as_fast_has_not_stood_before() {
    // A drawn surface without most of its noise.
    let text = "workers 5\nbatch_ms 68\nrow_us 33\nknee_rows 18_300\nrow_bytes 164\nnoise 0.02\nwander 0\n\
                network_ms 9\nflush_ms 0.7\nsigma 0.00066\ndecay 0.33\nbudget_bytes 46_000_000\n\
                in_flight_max 41\nat 246 workers 18\n";
    let scenario = Scenario::parse("faster", text).expect("it is well formed");
    for seed in 0..10 {
        let mut explorer = explorer(&scenario.regimes[0].surface);
        let journal = play(&scenario, seed, 420.0, &mut explorer).journal;
        let long = |reason: &Reason| matches!(reason, Reason::Long { .. });
        assert!(!journal.iter().any(|(_, decided)| long(&decided.reason)), "{seed}");
        assert!(explorer.kept().in_flight >= 14, "{seed}: {}", explorer.kept());
    }
}

#[test]
fn rows_are_not_given_up_for_batches_that_others_make_late() {
    // From the second minute on a batch takes ten times the work of its own: fewer rows do not make it shorter.
    let text = "workers 6\nbatch_ms 2.9\nrow_us 15.8\nknee_rows 20_800\nrow_bytes 187\nnoise 0.3\nwander 0.05\n\
                flush_ms 5\nnetwork_ms 0.4\nsigma 0.0046\np99_ms 74\nat 120 batch_ms 30\n";
    let scenario = Scenario::parse("own-work", text).expect("it is well formed");
    for seed in 0..10 {
        let mut explorer = explorer(&scenario.regimes[0].surface);
        play(&scenario, seed, 240.0, &mut explorer);
        assert!(explorer.kept().batch_rows > 100, "{seed}: {}", explorer.kept());
    }
}

#[test]
fn the_journal_of_a_run_replays_to_the_same_decisions() {
    let scenarios = sim::tuned();
    let scenario = scenarios.iter().find(|one| one.name == "node-gone").expect("it is there");
    let surface = &scenario.regimes[0].surface;
    let journal = play(scenario, 3, 400.0, &mut explorer(surface)).journal;
    assert!(journal.len() > 1_000);
    let mut again = explorer(surface);
    for (seen, decided) in &journal {
        assert_eq!(again.observe(seen), decided);
    }
}

#[test]
fn what_is_kept_moves_with_a_verdict_even_where_the_next_trial_begins_at_once() {
    let scenarios = sim::tuned();
    let scenario = scenarios.iter().find(|one| one.name == "node-gone").expect("it is there");
    let surface = &scenario.regimes[0].surface;
    let mut moves = 0;
    for seed in 3..7 {
        let journal = play(scenario, seed, 400.0, &mut explorer(surface)).journal;
        let mut again = explorer(surface);
        let mut settled = false;
        for (seen, decided) in &journal {
            let kept = again.kept();
            again.observe(seen);
            settled |= matches!(decided.reason, Reason::Settled { .. });
            if settled && again.kept() != kept {
                moves += 1;
                let said = [Some(decided.reason), again.overtaken()];
                let verdict = |reason: &Reason| {
                    matches!(reason, Reason::Better { .. } | Reason::Smaller { .. } | Reason::Busy)
                };
                assert!(said.iter().flatten().any(verdict), "{kept} to {}: {said:?}", again.kept());
            }
        }
    }
    assert!(moves > 4, "{moves}");
}

#[test]
fn one_seed_is_one_run() {
    let scenario = sim::draw(5_001);
    let surface = &scenario.regimes[0].surface;
    let first = play(&scenario, 9, 60.0, &mut explorer(surface));
    assert_eq!(first, play(&scenario, 9, 60.0, &mut explorer(surface)));
    assert_ne!(first, play(&scenario, 10, 60.0, &mut explorer(surface)));
}

#[test]
fn the_client_never_holds_more_bytes_than_the_budget() {
    for mib in [1.0, 16.0, 64.0] {
        let mut scenario = sim::draw(5_002);
        for regime in &mut scenario.regimes {
            regime.surface.budget_bytes = mib * 1_048_576.0;
        }
        let mut explorer = explorer(&scenario.regimes[0].surface);
        let trace = play(&scenario, 1, 120.0, &mut explorer);
        assert!(trace.bytes_max <= mib * 1_048_576.0, "{} of {mib} MiB", trace.bytes_max);
        assert_eq!(trace.over_budget, 0);
    }
}

#[test]
fn nothing_is_allocated_for_a_completion() {
    let scenarios = sim::tuned();
    let scenario = scenarios.iter().find(|one| one.name == "refuses-early").expect("it is there");
    let surface = &scenario.regimes[0].surface;
    let journal = play(scenario, 1, 120.0, &mut explorer(surface)).journal;
    let mut again = explorer(surface);
    let mut done = 0u32;
    let counted = allocation_counter::measure(|| {
        for (seen, _) in &journal {
            again.observe(seen);
            done += u32::from(seen.verdict == Verdict::Done);
        }
    });
    assert!(done > 1_000);
    assert_eq!(counted.count_total, 0);
}

#[test]
fn lanes_come_back_within_ten_seconds_of_a_server_that_refused_most_of_them() {
    // Half a minute with two places instead of sixteen.
    let text = "workers 8\nbatch_ms 4\nrow_us 20\nknee_rows 8000\npool 16\nqueue 32\nat 100 pool 2\n\
                at 100 queue 1\nat 130 pool 16\nat 130 queue 32\n";
    let scenario = Scenario::parse("refuses", text).expect("it is well formed");
    let mut worst: f64 = 0.0;
    for seed in 0..10 {
        let trace = play(&scenario, seed, 300.0, &mut explorer(&scenario.regimes[0].surface));
        let best = trace.rows_between(60.0, 100.0) / 40.0;
        let near = |from: f64| trace.rows_between(from, from + 3.0) >= 0.9 * 3.0 * best;
        let back = (0..300).map(|half| f64::from(half) / 2.0).find(|after| near(130.0 + after));
        worst = worst.max(back.unwrap_or(f64::INFINITY));
    }
    assert!(worst <= 10.0, "{worst} s");
}

#[test]
fn a_server_that_stood_still_is_used_again_at_once() {
    // All batches are answered five seconds late, as after SIGSTOP and SIGCONT.
    let scenario = Scenario::parse("stopped", "workers 4\nbatch_ms 4\nrow_us 10\n")
        .expect("it is well formed");
    let surface = &scenario.regimes[0].surface;
    let journal = play(&scenario, 1, 120.0, &mut explorer(surface)).journal;
    let mut stopped = explorer(surface);
    let mut before = None;
    for (seen, _) in &journal {
        let late =
            if seen.at > Duration::from_mins(1) { Duration::from_secs(5) } else { Duration::ZERO };
        before = before.or((late > Duration::ZERO).then(|| stopped.kept()));
        let number = stopped.decision().number;
        stopped.observe(&Observation { at: seen.at + late, decision: number, ..*seen });
    }
    let (before, after) = (before.expect("it stopped").footprint(), stopped.kept().footprint());
    assert!(after > 0.4 * before, "{before} to {after}");
}

/// Runs a controller with its journal.
fn play(
    scenario: &Scenario,
    seed: u64,
    seconds: f64,
    controller: &mut dyn Controller,
) -> sim::Trace {
    let weather = Weather::new(scenario, seed, seconds);
    Simulation { scenario, weather: &weather, seed, seconds, kept_at: &[], journal: true }
        .run(controller)
}
