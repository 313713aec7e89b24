//! `cargo xtask tidy`: the rules of the house that no compiler checks. Runs as a test too.

mod adapters;
mod arrows;
mod source;
mod text;
mod tree;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::arguments::Arguments;
use crate::command::{output, root};

/// One tracked file.
pub(crate) struct SourceFile {
    /// Its path from the root.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl SourceFile {
    /// Whether its name ends so, without the dot.
    pub(crate) fn is_a(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// Prints every breach; with `--base REV`, also looks at what changed since.
pub(crate) fn tidy(mut arguments: Arguments) -> anyhow::Result<()> {
    let base = arguments.value::<String>("--base")?;
    arguments.finish()?;
    report(base.as_deref())
}

/// The same, without a base.
pub(crate) fn check() -> anyhow::Result<()> {
    report(None)
}

fn report(base: Option<&str>) -> anyhow::Result<()> {
    let breaches = breaches(base)?;
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} breaches of the house's rules", breaches.len());
    }
    Ok(())
}

fn breaches(base: Option<&str>) -> anyhow::Result<Vec<String>> {
    let files = files()?;
    let mut breaches = Vec::new();
    for file in &files {
        text::check(file, &mut breaches);
        source::check(file, &mut breaches);
    }
    tree::check(&files, &mut breaches);
    adapters::check(&files, &mut breaches);
    arrows::check(&mut breaches)?;
    if let Some(base) = base {
        changelog(base, &mut breaches)?;
    }
    Ok(breaches)
}

/// All files that git knows or would add, as far as they are text.
fn files() -> anyhow::Result<Vec<SourceFile>> {
    let listed = git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .context("tidy asks git which files belong to the project")?;
    let read = |path: &str| {
        let text = std::fs::read_to_string(root().join(path)).ok()?;
        Some(SourceFile { path: path.to_owned(), text })
    };
    Ok(listed.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect())
}

fn changelog(base: &str, breaches: &mut Vec<String>) -> anyhow::Result<()> {
    let changed = git(&["diff", "--name-only", base, "--"])?;
    let crates = changed.lines().any(|path| path.starts_with("crates/"));
    if crates && !changed.lines().any(|path| path == "CHANGELOG.md") {
        breaches.push("CHANGELOG.md: crates/ changed, and no line says so".to_owned());
    }
    Ok(())
}

fn git(arguments: &[&str]) -> anyhow::Result<String> {
    // In containers the checkout often belongs to somebody else than the user.
    let safe = format!("safe.directory={}", root().display());
    output(Command::new("git").args(["-c", &safe]).args(arguments).current_dir(root()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let breaches = super::breaches(None).expect("git and cargo answer");
        assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
    }
}
