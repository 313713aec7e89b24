//! A limit on how long another program may run.

use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::command::succeeds;

/// Kills a process when its time is over.
pub(super) struct Limit {
    over: Sender<()>,
    thread: JoinHandle<()>,
}

impl Limit {
    /// Begins to wait.
    pub(super) fn start(pid: u32, time: Duration) -> Limit {
        let (over, ended) = channel();
        let thread = std::thread::spawn(move || {
            if ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                succeeds(Command::new("kill").args(["-KILL", &pid.to_string()]));
            }
        });
        Limit { over, thread }
    }

    /// The process has ended by itself.
    pub(super) fn finish(self) {
        drop(self.over);
        self.thread.join().expect("it only waits");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_over_its_time_is_killed_and_another_is_not() {
        for (seconds, time, ends_well) in
            [("1000", Duration::ZERO, false), ("0", Duration::from_hours(1), true)]
        {
            let mut child = Command::new("sleep").arg(seconds).spawn().unwrap();
            let limit = Limit::start(child.id(), time);
            assert_eq!(child.wait().unwrap().success(), ends_well);
            limit.finish();
        }
    }
}
