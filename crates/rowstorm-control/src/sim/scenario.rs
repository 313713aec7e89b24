//! A scenario: a surface, what happens to it in mid-run, and what is expected of a controller on it.
//!
//! The format is lines of words: `NAME VALUE` sets a parameter of the surface, `at SECONDS NAME VALUE` changes one in
//! mid-run, `expect FIGURE VALUE` is the most that a figure may be, `#` begins a comment.

use std::fmt;

use super::Surface;

/// What the server does from some second on.
#[derive(Debug, Clone, PartialEq)]
pub struct Regime {
    /// The second at which it begins; a multiple of 0.1.
    pub from_s: f64,
    /// How the server is.
    pub surface: Surface,
}

/// A named surface with its changes and its expectations.
///
/// ```
/// use rowstorm_control::sim::Scenario;
/// let text = "batch_ms 4\nworkers 8\nat 300 capacity 0.5  # a node is gone\nexpect regret_pct 6\n";
/// let scenario = Scenario::parse("node-gone", text).expect("it is well formed");
/// assert_eq!(scenario.regimes.len(), 2);
/// assert_eq!(scenario.regimes[1].surface.workers, 8.0);
/// assert_eq!(scenario.expect, [("regret_pct".to_owned(), 6.0)]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// How it is called in the table.
    pub name: String,
    /// At least one, in order of time; the first begins at 0.
    pub regimes: Vec<Regime>,
    /// Figures, and the most that each may be.
    pub expect: Vec<(String, f64)>,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// Which scenario.
    pub name: String,
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.name, self.line, self.problem)
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// A surface that stays as it is.
    pub fn steady(name: &str, surface: Surface) -> Scenario {
        let regimes = vec![Regime { from_s: 0.0, surface }];
        Scenario { name: name.to_owned(), regimes, expect: Vec::new() }
    }

    /// Reads a scenario's text.
    ///
    /// # Errors
    /// The first line that is not of the format, and why.
    pub fn parse(name: &str, text: &str) -> Result<Scenario, ScenarioError> {
        let mut scenario = Scenario::steady(name, Surface::default());
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            scenario.line(&words).map_err(|problem| ScenarioError {
                name: name.to_owned(),
                line: at + 1,
                problem,
            })?;
        }
        Ok(scenario)
    }

    fn line(&mut self, words: &[&str]) -> Result<(), String> {
        match *words {
            [] => Ok(()),
            ["expect", figure, most] => {
                self.expect.push((figure.to_owned(), number(most)?));
                Ok(())
            }
            ["at", second, name, value] => {
                let from_s = number(second)?;
                let last = self.regimes.last().expect("a scenario has a regime");
                if from_s < last.from_s {
                    return Err(format!("{from_s} s lies before {} s", last.from_s));
                }
                if from_s > last.from_s {
                    self.regimes.push(Regime { from_s, surface: last.surface.clone() });
                }
                self.set(name, number(value)?)
            }
            [name, value] if self.regimes.len() == 1 => self.set(name, number(value)?),
            [_, _] => Err("a parameter stands before the first `at`".to_owned()),
            _ => Err("a line is `NAME VALUE`, `at SECONDS NAME VALUE` or `expect FIGURE VALUE`"
                .to_owned()),
        }
    }

    fn set(&mut self, name: &str, value: f64) -> Result<(), String> {
        let last = self.regimes.last_mut().expect("a scenario has a regime");
        let known = last.surface.set(name, value);
        if known { Ok(()) } else { Err(format!("there is no parameter `{name}`")) }
    }

    /// The regime in force at a second.
    pub fn regime_at(&self, second: f64) -> &Surface {
        let passed = self.regimes.iter().take_while(|regime| regime.from_s <= second + 1e-9);
        &passed.last().expect("the first regime begins at 0").surface
    }
}

fn number(word: &str) -> Result<f64, String> {
    word.replace('_', "").parse().map_err(|_| format!("`{word}` is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_is_named() {
        for (text, line) in
            [("workers many", 1), ("\ncolour 3", 2), ("at 9 workers 2\nworkers 3", 2), ("a b c", 1)]
        {
            assert_eq!(Scenario::parse("x", text).unwrap_err().line, line, "{text}");
        }
    }
}
