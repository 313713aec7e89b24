//! What was measured, for programs.

use serde_json::{Map, Value, json};

use super::contest::{Contest, Entrant};
use super::grid::{REFERENCE, Setting};
use super::sample::Sample;
use super::survey::{Out, Survey};
use super::table::ratios;
use super::trial::Trial;

fn of_setting(setting: Setting) -> Value {
    json!({ "batch": setting.batch, "in_flight": setting.in_flight })
}

/// A survey: a list of settings, and the reference.
pub(super) fn survey(survey: &Survey) -> Value {
    let cells = survey.cells.iter().map(|(setting, cell)| {
        let mut value = of_setting(*setting);
        value["rows_per_second"] = cell.sample(|trial| trial.rows_per_second).json();
        value["share_of_reference"] = cell.share().json();
        value["client_cpu_s_per_million"] = cell.sample(|trial| trial.client_cpu).json();
        value["server_cpu_s_per_million"] = cell.sample(|trial| trial.server_cpu).json();
        value["retries"] = cell.sample(|trial| trial.retries).json();
        value["out"] = match &cell.out {
            None => Value::Null,
            Some(Out::TooLarge) => json!("too large"),
            Some(Out::Failed(reason)) => json!(reason),
        };
        value
    });
    let rate: Sample = survey.reference.iter().map(|trial| trial.rows_per_second).collect();
    let mut reference = of_setting(REFERENCE);
    reference["rows_per_second"] = rate.json();
    reference["noise"] = json!(rate.noise());
    json!({ "settings": cells.collect::<Vec<_>>(), "reference": reference })
}

/// A contest: entrants, the best fixed setting, and the ratios.
pub(super) fn contest(contest: &Contest) -> Value {
    let entrants = contest.entrants.iter().map(|entrant| {
        let sample = |figure: fn(&Trial) -> f64| contest.sample(*entrant, figure).json();
        let of_some = |figure: fn(&Trial) -> Option<f64>| {
            contest.trials(*entrant).filter_map(figure).collect::<Sample>().json()
        };
        let mut value = json!({
            "name": entrant.name(),
            "rows_per_second": sample(|trial| trial.rows_per_second),
            "client_cpu_s_per_million": sample(|trial| trial.client_cpu),
            "server_cpu_s_per_million": sample(|trial| trial.server_cpu),
            "retries": sample(|trial| trial.retries),
        });
        if !matches!(entrant, Entrant::Fixed(_)) {
            let chosen = contest.trials(*entrant).map(|trial| of_setting(trial.chosen));
            value["chosen"] = chosen.collect();
            value["settled_at_s"] = of_some(|trial| trial.settled_at);
            value["rows_per_second_once_settled"] = of_some(|trial| trial.settled_rate);
        }
        value
    });
    let ratios = ratios(contest).into_iter();
    let ratios: Map<String, Value> =
        ratios.map(|(name, ratio)| (name.replace(' ', "_"), ratio.json())).collect();
    json!({
        "entrants": entrants.collect::<Vec<_>>(),
        "failures": contest.failures,
        "best_fixed": contest.best().map(of_setting),
        "ratios": ratios,
    })
}
