//! States that updates walk through: where a row starts, and where it may go from each state.

use indexmap::{IndexMap, IndexSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Choices;

/// See [`Generator::States`](crate::Generator::States).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatesSpec {
    /// The states in which rows are loaded and inserted; the first of `next` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Choices>,
    /// The states that may follow each state, alike or by weight; a state that is not here, or has an empty list, is the
    /// last.
    pub next: IndexMap<String, Choices>,
}

impl StatesSpec {
    /// All states, in the order in which the document names them in `next`, then in `start`.
    pub fn names(&self) -> Vec<String> {
        let mut names: IndexSet<String> = IndexSet::new();
        for (state, next) in &self.next {
            names.insert(state.clone());
            names.extend(weights(next).into_iter().map(|(name, _)| name));
        }
        names.extend(self.start.iter().flat_map(weights).map(|(name, _)| name));
        names.into_iter().collect()
    }

    /// The states in which rows start, with their weights.
    pub fn starts(&self) -> Vec<(String, f64)> {
        match &self.start {
            Some(start) => weights(start),
            None => self.next.keys().take(1).map(|state| (state.clone(), 1.0)).collect(),
        }
    }

    /// The states that may follow one, with their weights.
    pub fn after(&self, state: &str) -> Vec<(String, f64)> {
        self.next.get(state).map(weights).unwrap_or_default()
    }

    /// A state with a choice to which a row can come back: where it would be after n moves could not be told without
    /// going all of them.
    ///
    /// ```
    /// use rowstorm_schema::{Choices, Literal, StatesSpec};
    ///
    /// let to = |states: &[&str]| Choices::Alike(states.iter().map(|name| Literal::Text((*name).into())).collect());
    /// let next = [("on", to(&["off"])), ("off", to(&["on"]))].map(|(name, to)| (name.to_owned(), to));
    /// let mut spec = StatesSpec { start: None, next: next.into() };
    /// assert_eq!(spec.choice_in_circle(), None);
    /// spec.next["off"] = to(&["on", "broken"]);
    /// assert_eq!(spec.choice_in_circle().as_deref(), Some("off"));
    /// ```
    pub fn choice_in_circle(&self) -> Option<String> {
        let comes_back = |start: &str| {
            let mut seen: IndexSet<String> = IndexSet::new();
            let mut at = 0;
            seen.extend(self.after(start).into_iter().map(|(name, _)| name));
            while let Some(state) = seen.get_index(at).cloned() {
                seen.extend(self.after(&state).into_iter().map(|(name, _)| name));
                at += 1;
            }
            seen.contains(start)
        };
        self.next.keys().find(|state| self.after(state).len() > 1 && comes_back(state)).cloned()
    }
}

fn weights(choices: &Choices) -> Vec<(String, f64)> {
    match choices {
        Choices::Alike(values) => values.iter().map(|value| (value.to_string(), 1.0)).collect(),
        Choices::Weighted(weights) => {
            weights.iter().map(|(name, weight)| (name.clone(), *weight)).collect()
        }
    }
}
