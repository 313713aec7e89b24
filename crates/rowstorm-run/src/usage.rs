//! What the process uses, as the system says it. Nothing where the system does not say.

use std::collections::BTreeMap;

/// `/proc/self/stat` counts in ticks of 1/100 s on every Linux since 2.6 (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds of the whole process, user and system; 0 where it cannot be read.
pub(crate) fn cpu_seconds() -> f64 {
    std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| ticks(&stat)).unwrap_or(0.0)
        / TICKS_PER_SECOND
}

/// Fields 14 and 15 of `proc_pid_stat(5)`; the second field may hold blanks and brackets, so count behind it.
fn ticks(stat: &str) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let mut fields = behind_name.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64)
}

/// The largest resident set so far, in bytes; 0 where it cannot be read.
pub(crate) fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

/// The machine, for the record.
pub(crate) fn host() -> BTreeMap<String, String> {
    BTreeMap::from([
        ("os".to_owned(), std::env::consts::OS.to_owned()),
        ("arch".to_owned(), std::env::consts::ARCH.to_owned()),
        ("cores".to_owned(), cores().to_string()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_behind_a_hostile_name() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 700 35 0 0 20 0";
        assert_eq!(ticks(stat), Some(735.0));
    }
}
