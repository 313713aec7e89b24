//! The regret table, and the same as JSON.

use std::fmt::Write as _;

use rowstorm_control::sim::Score;

use crate::cost::Cost;
use crate::field::{Played, Result};

/// A quantile of figures; the worst of an empty list is nothing.
fn quantile(mut figures: Vec<f64>, share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    if figures.is_empty() {
        return f64::NAN;
    }
    let at = share * (figures.len() - 1) as f64;
    let (low, high) = (figures[at.floor() as usize], figures[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

fn all(result: &Result, figure: impl Fn(&Score) -> f64) -> Vec<f64> {
    result.runs.iter().map(|played| figure(&played.score)).collect()
}

fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len().max(1) as f64
}

/// The names of a result's figures and the figures.
pub(crate) fn figures(result: &Result) -> Vec<(&'static str, f64)> {
    let percent = |score: f64| score * 100.0;
    let regret = all(result, |score| percent(score.regret));
    let steady = all(result, |score| percent(score.steady));
    let t90 = all(result, |score| score.t90);
    let recovery: Vec<f64> =
        result.runs.iter().flat_map(|played| played.score.recovery.iter().copied()).collect();
    let frozen = |at: usize| -> Vec<f64> {
        result.runs.iter().filter_map(|played| played.score.frozen[at].map(percent)).collect()
    };
    vec![
        ("regret_median_pct", quantile(regret.clone(), 0.5)),
        ("regret_p90_pct", quantile(regret.clone(), 0.9)),
        ("regret_max_pct", quantile(regret, 1.0)),
        ("steady_median_pct", quantile(steady.clone(), 0.5)),
        ("steady_p90_pct", quantile(steady, 0.9)),
        ("t90_median_s", quantile(t90.clone(), 0.5)),
        ("t90_p90_s", quantile(t90, 0.9)),
        ("recovery_median_s", quantile(recovery.clone(), 0.5)),
        ("recovery_p90_s", quantile(recovery, 0.9)),
        ("frozen30_median_pct", quantile(frozen(0), 0.5)),
        ("frozen60_median_pct", quantile(frozen(1), 0.5)),
        ("frozen120_median_pct", quantile(frozen(2), 0.5)),
        ("frozen120_p90_pct", quantile(frozen(2), 0.9)),
        ("frozen300_median_pct", quantile(frozen(3), 0.5)),
        ("visible_rejections_pct", mean(&all(result, |score| percent(score.refused)))),
        ("hidden_rejections_pct", mean(&all(result, |score| percent(score.hidden)))),
        ("over_limit_pct", mean(&all(result, |score| percent(score.late)))),
        ("byte_violations", all(result, |score| score.over_budget as f64).iter().sum()),
        ("decisions_median", quantile(all(result, |score| score.decisions as f64), 0.5)),
    ]
}

const HEADS: [(&str, &str); 19] = [
    ("regret", "med %"),
    ("", "P90"),
    ("", "max"),
    ("steady", "med"),
    ("", "P90"),
    ("t90", "med s"),
    ("", "P90"),
    ("recov", "med s"),
    ("", "P90"),
    ("frozen", "30"),
    ("", "60"),
    ("", "120"),
    ("", "P90"),
    ("", "300"),
    ("refused", "%"),
    ("hidden", "%"),
    ("late", "%"),
    ("bytes", "over"),
    ("moves", ""),
];

/// The table for people.
pub(crate) fn table(results: &[Result], cost: &Cost) -> String {
    let mut out = String::new();
    for line in 0..2 {
        let _ = write!(out, "{:24}", "");
        for head in HEADS {
            let _ = write!(out, "{:>8}", if line == 0 { head.0 } else { head.1 });
        }
        out.push('\n');
    }
    for result in results {
        let _ = write!(out, "{:24}", result.name);
        for (name, figure) in figures(result) {
            let digits = match name {
                "visible_rejections_pct" | "hidden_rejections_pct" => 3,
                "byte_violations" | "decisions_median" => 0,
                _ => 1,
            };
            let _ = write!(out, "{figure:>8.digits$}");
        }
        out.push_str(if result.oracle { "  *\n" } else { "\n" });
    }
    out.push_str(
        "* is given what only an oracle knows: the best value of one coordinate, or, \"told the best\", of both so many\n  \
         seconds into each regime, and it starts as rowstorm does: what it loses, nobody saves who needs as long to find out\n",
    );
    let _ = writeln!(out, "one completion: {:.0} ns", cost.ns_per_completion);
    out
}

/// Every surface of every contender, the medians over the seeds.
pub(crate) fn each(results: &[Result]) -> String {
    let mut out = String::new();
    for result in results {
        let _ = writeln!(out, "{}", result.name);
        let mut runs: &[Played] = &result.runs;
        while let Some(first) = runs.first() {
            let same = runs.iter().take_while(|run| run.scenario == first.scenario).count();
            let (these, rest) = runs.split_at(same);
            runs = rest;
            let of = |figure: &dyn Fn(&Played) -> f64| these.iter().map(figure).collect::<Vec<_>>();
            let kept =
                these.iter().max_by(|left, right| left.score.regret.total_cmp(&right.score.regret));
            let kept = kept.expect("there is a first");
            let _ = writeln!(
                out,
                "  {:16} regret {:5.1} (max {:5.1}) steady {:5.1} t90 {:6.1} recovery {:6.1} frozen {:5.1} refused {:.3} hidden {:.3} late {:.2} moves {:4.0}  best {}, worst kept {:?} seed {}",
                first.scenario,
                quantile(of(&|run| run.score.regret * 100.0), 0.5),
                quantile(of(&|run| run.score.regret * 100.0), 1.0),
                quantile(of(&|run| run.score.steady * 100.0), 0.5),
                quantile(of(&|run| run.score.t90), 0.5),
                quantile(these.iter().flat_map(|run| run.score.recovery.clone()).collect(), 0.5),
                quantile(these.iter().filter_map(|run| run.score.frozen[2]).collect(), 0.5) * 100.0,
                mean(&of(&|run| run.score.refused * 100.0)),
                mean(&of(&|run| run.score.hidden * 100.0)),
                mean(&of(&|run| run.score.late * 100.0)),
                mean(&of(&|run| run.score.decisions as f64)),
                first.best,
                kept.score.kept.map(|kept| kept.to_string()),
                kept.seed,
            );
        }
    }
    out
}

/// Ours at the top level, everybody under `controllers`.
pub(crate) fn json(results: &[Result], cost: &Cost) -> String {
    let object = |result: &Result| {
        let figures = figures(result);
        let fields: Vec<String> = figures
            .iter()
            .map(|(name, figure)| format!("\"{name}\": {}", number(*figure)))
            .collect();
        fields.join(", ")
    };
    let mut out = String::from("{");
    if let Some(ours) = results.first() {
        let _ = write!(out, "{}, ", object(ours));
    }
    let _ = write!(
        out,
        "\"ns_per_completion\": {}, \"controllers\": {{",
        number(cost.ns_per_completion)
    );
    let each: Vec<String> = results
        .iter()
        .map(|result| {
            format!("\"{}\": {{{}, \"oracle\": {}}}", result.name, object(result), result.oracle)
        })
        .collect();
    let _ = write!(out, "{}}}}}", each.join(", "));
    out
}

fn number(figure: f64) -> String {
    if figure.is_finite() { format!("{figure:.4}") } else { "null".to_owned() }
}
