//! apt: the system's own, and one that works in a folder of its own on another suite from the same mirror.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::command::{find, output, run};

/// The keys that Debian signs its suites with.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// `apt-get` with what it says kept away from what `servers up` prints for a shell to evaluate.
pub(super) fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-q").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command.stdout(std::io::stderr());
    command
}

/// An apt that knows one suite, has its own lists and believes that nothing is installed, so that it resolves a package down
/// to the C library. It needs no privileges and touches nothing of the system's.
pub(super) struct Apart {
    dir: PathBuf,
}

impl Apart {
    /// Sets one up in a folder, and fetches the suite's lists.
    pub(super) fn new(dir: &Path, suite: &str) -> anyhow::Result<Apart> {
        ensure!(
            find("apt-get").is_some(),
            "apt-get is needed for packages of Debian's suite {suite}"
        );
        ensure!(Path::new(KEYS).exists(), "{KEYS} is missing: install debian-archive-keyring");
        let mirror = mirror()?;
        for folder in ["lists/partial", "archives/partial", "state"] {
            fs::create_dir_all(dir.join(folder))?;
        }
        fs::write(dir.join("status"), "")?;
        fs::write(
            dir.join("sources.list"),
            format!("deb [signed-by={KEYS}] {mirror} {suite} main\n"),
        )?;
        fs::write(dir.join("apt.conf"), settings(dir))?;
        let apart = Apart { dir: dir.to_owned() };
        run(apart.apt(&["-qq", "update"]).stdout(std::io::stderr()))?;
        Ok(apart)
    }

    /// The names of some packages and of all that they depend on.
    pub(super) fn resolve(&self, packages: &[&str]) -> anyhow::Result<Vec<String>> {
        let listed = output(self.apt(&["--simulate", "install"]).args(packages))?;
        let name = |line: &str| line.strip_prefix("Inst ")?.split(' ').next().map(str::to_owned);
        let names: Vec<String> = listed.lines().filter_map(name).collect();
        ensure!(!names.is_empty(), "apt resolves nothing for {}", packages.join(" "));
        Ok(names)
    }

    /// Downloads packages; apt compares them with the signed lists.
    pub(super) fn download(&self, packages: &[String]) -> anyhow::Result<()> {
        let archives = self.dir.join("archives");
        let mut command = self.apt(&["-qq", "download"]);
        run(command.args(packages).current_dir(archives).stdout(std::io::stderr()))
    }

    /// What was downloaded.
    pub(super) fn archives(&self) -> anyhow::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.dir.join("archives"))?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let paths = paths.collect::<Result<Vec<_>, _>>()?;
        Ok(paths
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "deb"))
            .collect())
    }

    fn apt(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("apt-get");
        command.arg("-c").arg(self.dir.join("apt.conf")).args(arguments);
        command
    }
}

/// Hooks of the system's configuration are cleared: they belong to its own lists and to dpkg, which is not called.
fn settings(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        r#"
Dir::Etc::SourceList "{dir}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{dir}/state";
Dir::State::Lists "{dir}/lists";
Dir::State::Status "{dir}/status";
Dir::Cache "{dir}";
Dir::Cache::Archives "{dir}/archives";
Dir::Log "{dir}";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
"#
    )
}

/// The mirror that this machine takes Debian from, security updates apart.
fn mirror() -> anyhow::Result<String> {
    let format = ["indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"];
    let ask = || output(Command::new("apt-get").args(format));
    let mut listed = ask()?;
    if listed.trim().is_empty() {
        // apt tells its sources only once it has their lists.
        run(&mut apt(&["update"]))?;
        listed = ask()?;
    }
    debian_of(&listed).context("apt's configuration names no mirror of Debian")
}

fn debian_of(listed: &str) -> Option<String> {
    listed.lines().find_map(|line| line.strip_prefix("Debian ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::debian_of;

    #[test]
    fn the_mirror_is_the_one_of_debian_itself() {
        let listed =
            "Debian-Security http://a/security/\nElse http://b/\nDebian http://c/debian/\n";
        assert_eq!(debian_of(listed).as_deref(), Some("http://c/debian/"));
        assert_eq!(debian_of("Ubuntu http://d/ubuntu/\n"), None);
    }
}
