//! The command line, taken apart by hand: a parser crate would be compiled before every test run.

use std::str::FromStr;

use anyhow::{Context as _, bail};

/// What is left of the command line.
pub(crate) struct Arguments(Vec<String>);

impl Arguments {
    /// The arguments of this process, without its name.
    pub(crate) fn from_process() -> Arguments {
        Arguments(std::env::args().skip(1).collect())
    }

    /// Arguments that we give ourselves.
    pub(crate) fn of<const N: usize>(arguments: [&str; N]) -> Arguments {
        Arguments(arguments.map(str::to_owned).to_vec())
    }

    /// Takes the first one.
    pub(crate) fn next(&mut self) -> Option<String> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    /// Whether `-h` or `--help` is among them, not counting what stands behind `--`.
    pub(crate) fn ask_for_help(&self) -> bool {
        let mut ours = self.0.iter().take_while(|argument| *argument != "--");
        ours.any(|argument| argument == "-h" || argument == "--help")
    }

    /// Takes `--name`, if it is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let at = self.0.iter().position(|argument| argument == name);
        if let Some(at) = at {
            self.0.remove(at);
        }
        at.is_some()
    }

    /// Takes `--name VALUE`, if it is there.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str) -> anyhow::Result<Option<T>> {
        let Some(at) = self.0.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        if at == self.0.len() {
            bail!("{name} needs a value");
        }
        let text = self.0.remove(at);
        let value = text.parse().ok().with_context(|| format!("{name} cannot be `{text}`"))?;
        Ok(Some(value))
    }

    /// Takes all that stands behind `--`.
    pub(crate) fn behind_dashes(&mut self) -> Vec<String> {
        let at = self.0.iter().position(|argument| argument == "--");
        let mut behind = at.map(|at| self.0.split_off(at)).unwrap_or_default();
        if !behind.is_empty() {
            behind.remove(0);
        }
        behind
    }

    /// Takes all that is left.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0
    }

    /// Fails if something is left that nobody took.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(argument) => bail!("unexpected argument `{argument}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Arguments {
        Arguments(text.split(' ').map(str::to_owned).collect())
    }

    #[test]
    fn flags_and_values_are_taken_wherever_they_stand() {
        let mut given = arguments("up --durable postgres --rows 12");
        assert!(given.flag("--durable"));
        assert!(!given.flag("--durable"));
        assert_eq!(given.value::<u64>("--rows").unwrap(), Some(12));
        assert_eq!(given.rest(), ["up", "postgres"]);
    }

    #[test]
    fn what_stands_behind_dashes_is_for_somebody_else() {
        let mut given = arguments("--rows 12 -- --rows 13");
        assert_eq!(given.behind_dashes(), ["--rows", "13"]);
        assert_eq!(given.value::<u64>("--rows").unwrap(), Some(12));
        assert!(given.behind_dashes().is_empty());
    }

    #[test]
    fn help_is_asked_for_wherever_it_stands_but_not_behind_dashes() {
        assert!(arguments("surface --rows 12 --help").ask_for_help());
        assert!(arguments("-h").ask_for_help());
        assert!(!arguments("surface -- --help").ask_for_help());
    }

    #[test]
    fn what_nobody_took_is_an_error() {
        assert!(arguments("--nonsense").finish().is_err());
        assert!(arguments("--rows").value::<u64>("--rows").is_err());
        assert!(arguments("--rows many").value::<u64>("--rows").is_err());
    }
}
