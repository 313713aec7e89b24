//! The cache directory: what was installed once is there for every checkout, and two that install at once do it once.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::command::is_root;

/// Stands in a folder that is whole.
const COMPLETE: &str = "complete";

/// The folder of an entry, if it is whole.
pub(crate) fn finished(key: &str) -> Option<PathBuf> {
    let dir = base().ok()?.join(key);
    dir.join(COMPLETE).is_file().then_some(dir)
}

/// Makes an entry unless it is there. Who comes while another is at it waits; what was left by half is made anew.
pub(super) fn once(
    key: &str,
    make: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    once_below(&base()?, key, make)
}

fn once_below(
    base: &Path,
    key: &str,
    make: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    alone_below(base, key, || {
        let dir = base.join(key);
        if dir.join(COMPLETE).is_file() {
            return Ok(());
        }
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir(&dir)?;
        make(&dir)?;
        fs::write(dir.join(COMPLETE), "").map_err(Into::into)
    })
}

/// Does something that only one process of this user may do at a time.
pub(super) fn alone<T>(key: &str, act: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    alone_below(&base()?, key, act)
}

fn alone_below<T>(
    base: &Path,
    key: &str,
    act: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    fs::create_dir_all(base).with_context(|| format!("cannot make {}", base.display()))?;
    let lock = File::create(base.join(format!("{key}.lock")))?;
    // Let go when the file is closed, so also when we are killed.
    lock.lock()?;
    act()
}

/// Root's home is closed to `nobody`, whom the programs must be open to; hence the system's cache.
fn base() -> anyhow::Result<PathBuf> {
    if is_root()? {
        return Ok("/var/cache/rowstorm".into());
    }
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("rowstorm"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use anyhow::bail;

    use super::*;
    use crate::command::target_dir;

    /// An empty folder of a test's own.
    fn base(test: &str) -> PathBuf {
        let base = target_dir().join(format!("xtask-tests/{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        base
    }

    #[test]
    fn two_that_install_at_once_install_once() {
        let (base, times) = (base("once"), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let make = |_: &Path| {
                        times.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    };
                    once_below(&base, "server", make).unwrap();
                });
            }
        });
        assert_eq!(times.load(Ordering::SeqCst), 1);
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn what_was_left_by_half_is_made_anew() {
        let base = base("half");
        let half = |dir: &Path| {
            fs::write(dir.join("half"), "")?;
            bail!("no network")
        };
        once_below(&base, "server", half).unwrap_err();
        assert!(!base.join("server").join(COMPLETE).exists());
        once_below(&base, "server", |dir| Ok(fs::write(dir.join("whole"), "")?)).unwrap();
        assert!(!base.join("server/half").exists());
        assert!(base.join("server/whole").exists());
        fs::remove_dir_all(base).unwrap();
    }
}
