//! CPU time of processes, from /proc: of our own children that have ended, and of a server with all its processes.

use std::fs;

use anyhow::Context as _;

use crate::command::output;

/// CPU seconds, user and system.
pub(super) struct Clock {
    ticks_per_second: f64,
}

impl Clock {
    /// Asks the system for its unit.
    pub(super) fn new() -> anyhow::Result<Clock> {
        let ticks = output(std::process::Command::new("getconf").arg("CLK_TCK"))?;
        let ticks_per_second = ticks.trim().parse().context("getconf CLK_TCK is no number")?;
        Ok(Clock { ticks_per_second })
    }

    /// CPU seconds of all children of ours that have ended and were waited for.
    pub(super) fn of_ended_children(&self) -> anyhow::Result<f64> {
        let own = Stat::read("self").context("/proc/self/stat cannot be read")?;
        Ok(own.ticks_of_children as f64 / self.ticks_per_second)
    }

    /// CPU seconds of a server: its first process, the children that it has waited for, and those that live.
    pub(super) fn of_server(&self, pid: u32) -> anyhow::Result<f64> {
        let first =
            Stat::read(&pid.to_string()).with_context(|| format!("process {pid} is gone"))?;
        let mut ticks = first.ticks + first.ticks_of_children;
        for entry in fs::read_dir("/proc")?.flatten() {
            let name = entry.file_name();
            let child = Stat::read(&name.to_string_lossy()).filter(|stat| stat.parent == pid);
            ticks += child.map_or(0, |child| child.ticks);
        }
        Ok(ticks as f64 / self.ticks_per_second)
    }
}

/// The fields of /proc/PID/stat that count here (proc(5)).
struct Stat {
    parent: u32,
    ticks: u64,
    ticks_of_children: u64,
}

impl Stat {
    fn read(process: &str) -> Option<Stat> {
        if process != "self" && !process.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Stat::parse(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    /// The second field is the name in parentheses, and may hold anything, blanks and parentheses too.
    fn parse(line: &str) -> Option<Stat> {
        let (_, behind_name) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = behind_name.split(' ').collect();
        // The state is field 3 of proc(5) and the first one here.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Stat {
            parent: u32::try_from(number(4)?).ok()?,
            ticks: number(14)? + number(15)?,
            ticks_of_children: number(16)? + number(17)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_is_read_over() {
        let line = "42 (a ) b) S 7 1 1 0 -1 4 9 9 9 9 100 20 3 4 20 0 1 0";
        let stat = Stat::parse(line).expect("it is whole");
        assert_eq!((stat.parent, stat.ticks, stat.ticks_of_children), (7, 120, 7));
    }
}
