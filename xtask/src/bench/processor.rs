//! CPU time of processes, from /proc: of our own children that have ended, and of a server while it loads.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::command::output;

/// How often a server's processes are looked at: what they use after the last look of a load is lost.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// The unit of the system's CPU times.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    ticks_per_second: f64,
}

/// Looks at a PostgreSQL server from a thread of its own, until it is asked for the sum.
pub(super) struct Watch {
    clock: Clock,
    stop: Sender<()>,
    thread: JoinHandle<u64>,
}

impl Clock {
    /// Asks the system for its unit.
    pub(super) fn new() -> anyhow::Result<Clock> {
        let ticks = output(Command::new("getconf").arg("CLK_TCK"))?;
        let ticks_per_second = ticks.trim().parse().context("getconf CLK_TCK is no number")?;
        Ok(Clock { ticks_per_second })
    }

    /// CPU seconds of all children of ours that have ended and were waited for.
    pub(super) fn of_ended_children(self) -> anyhow::Result<f64> {
        let own = Stat::read("self").context("/proc/self/stat cannot be read")?;
        Ok(own.ticks_of_children as f64 / self.ticks_per_second)
    }

    /// CPU seconds that a process and all below it have used so far, those that have ended included.
    pub(super) fn of_tree(self, pid: u32) -> f64 {
        let own = Stat::read(&pid.to_string());
        let ticks = own.map_or(0, |stat| stat.ticks + stat.ticks_of_children);
        let below: f64 = children(pid).into_iter().map(|child| self.of_tree(child)).sum();
        ticks as f64 / self.ticks_per_second + below
    }

    /// Begins to watch the server whose first process this is.
    pub(super) fn watch(self, pid: u32) -> anyhow::Result<Watch> {
        ensure!(!children(pid).is_empty(), "the server's processes are not on this machine");
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || look_until(pid, &stopped));
        Ok(Watch { clock: self, stop, thread })
    }
}

impl Watch {
    /// CPU seconds of the sessions that loaded, up to their last COPY, and of the server's own processes. What a client
    /// does besides (preparing, counting, ANALYZE) is left out.
    pub(super) fn finish(self) -> anyhow::Result<f64> {
        drop(self.stop);
        let ticks = self.thread.join().ok().context("the thread that watches has panicked")?;
        Ok(ticks as f64 / self.clock.ticks_per_second)
    }
}

/// The ticks of one process when it was first and last seen to matter.
struct Span {
    first: u64,
    last: u64,
}

fn look_until(server: u32, stopped: &Receiver<()>) -> u64 {
    let mut spans: BTreeMap<u32, Span> = BTreeMap::new();
    let there_before = children(server);
    loop {
        for pid in children(server) {
            let Some(stat) = Stat::read(&pid.to_string()) else { continue };
            if matters(&title(pid)) {
                // A session that is new did nothing before but connect.
                let first = if there_before.contains(&pid) { stat.ticks } else { 0 };
                let span = spans.entry(pid).or_insert(Span { first, last: 0 });
                span.last = stat.ticks;
            }
        }
        if stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout) {
            return spans.values().map(|span| span.last - span.first).sum();
        }
    }
}

/// Whether a process's title says that it loads, or that it is one of the server's own (writers, checkpointer). A
/// session's title has its client's address and port, "127.0.0.1(40312)", and what it does.
fn matters(title: &str) -> bool {
    if title.contains('(') { title.contains(" COPY") } else { !title.contains("parallel worker") }
}

fn title(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).into_owned()
}

fn children(pid: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    listed.split_ascii_whitespace().filter_map(|child| child.parse().ok()).collect()
}

/// The fields of /proc/PID/stat that count here (proc(5)).
struct Stat {
    ticks: u64,
    ticks_of_children: u64,
}

impl Stat {
    fn read(process: &str) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    /// The second field is the name in parentheses, and may hold anything, blanks and parentheses too.
    fn parse(line: &str) -> Option<Stat> {
        let (_, behind_name) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = behind_name.split(' ').collect();
        // The state is field 3 of proc(5) and the first one here.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Stat {
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
        assert_eq!((stat.ticks, stat.ticks_of_children), (120, 7));
    }

    #[test]
    fn only_loading_and_the_servers_own_work_count() {
        for (title, counts) in [
            ("postgres: postgres postgres 127.0.0.1(40312) COPY", true),
            ("postgres: postgres postgres 127.0.0.1(40312) SELECT", false),
            ("postgres: checkpointer", true),
            ("postgres: parallel worker for PID 7", false),
        ] {
            assert_eq!(matters(title), counts, "{title}");
        }
    }
}
