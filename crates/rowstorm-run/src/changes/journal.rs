//! Where every stream stands, kept in a file op by op, so that a run that is killed at any moment can go on.
//!
//! Two numbers for each stream, and behind them two for the events, at a fixed place: the end of the transaction that was begun last, and of the one that was answered
//! last. Both are written by one call each, before the transaction is sent and after its answer; so after a kill at most one transaction of
//! a stream is in doubt, and it is known which ops it had. The bytes are the operating system's once they are written: they survive the process,
//! not the machine.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
#[cfg(unix)]
use std::os::unix::fs::FileExt;
#[cfg(windows)]
use std::os::windows::fs::FileExt;
use std::path::{Path, PathBuf};

use rowstorm_report::Changes;

/// Names the format, and its version.
const MAGIC: &[u8; 16] = b"rowstorm ops 1\n\0";
/// Behind the magic: the changes' fingerprint and the number of streams.
const HEAD_BYTES: u64 = 32;
const STREAM_BYTES: u64 = 16;

/// Where the streams of a run stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many ops of each stream are done.
    pub done: Vec<u64>,
    /// For each stream, the end of a transaction that was sent and not answered: the ops from `done` up to here may have been
    /// committed. As `done` where nothing is in doubt.
    pub begun: Vec<u64>,
    /// How many of the changes' events are done, and begun.
    pub events: EventMarks,
}

/// Where the events of a run stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventMarks {
    /// How many are done.
    pub done: u64,
    /// One more where the next was sent and not answered; else the same, or less.
    pub begun: u64,
}

impl Progress {
    /// Nothing in doubt.
    pub fn new(done: Vec<u64>) -> Progress {
        Progress { begun: done.clone(), done, events: EventMarks::default() }
    }

    /// Where the run of a record stands that is over.
    pub fn of(changes: &Changes) -> Progress {
        let mut progress = Progress::new(changes.ranges_done.clone());
        for doubt in &changes.in_doubt {
            if let Some(begun) = progress.begun.get_mut(doubt.stream as usize) {
                *begun = doubt.to;
            }
        }
        let (done, begun) = changes.events_done();
        progress.events = EventMarks { done: done as u64, begun: begun as u64 };
        progress
    }

    /// The ops of a stream that may have been committed.
    pub(crate) fn in_doubt(&self, stream: u32) -> Option<Range<u64>> {
        let (done, begun) = (self.done[stream as usize], self.begun[stream as usize]);
        (begun > done).then_some(done..begun)
    }

    /// Reads the file that a run has left.
    ///
    /// # Errors
    /// It cannot be read, or is of other changes than those of `fingerprint`.
    pub fn read(path: &Path, fingerprint: u64) -> io::Result<Progress> {
        let wrong = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        let number = |at: usize| {
            let bytes = bytes.get(at..at + 8).ok_or_else(|| wrong("the file is cut short"))?;
            Ok::<u64, io::Error>(u64::from_le_bytes(bytes.try_into().expect("8 bytes are 8 bytes")))
        };
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(wrong("this is no progress file of Rowstorm"));
        }
        if number(16)? != fingerprint {
            return Err(wrong("the progress is of other changes: schema, seed or rows differ"));
        }
        let streams = number(24)? as usize;
        let mut progress = Progress::default();
        for stream in 0..streams {
            let at = (HEAD_BYTES + stream as u64 * STREAM_BYTES) as usize;
            let done = number(at)?;
            progress.done.push(done);
            progress.begun.push(number(at + 8)?.max(done));
        }
        let at = (HEAD_BYTES + streams as u64 * STREAM_BYTES) as usize;
        // Files of earlier releases end here.
        if bytes.len() > at {
            progress.events = EventMarks { done: number(at)?, begun: number(at + 8)? };
        }
        Ok(progress)
    }
}

/// The file, being written.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    streams: u32,
}

impl Journal {
    /// Makes the file: whole or not at all.
    pub(crate) fn create(
        path: &Path,
        fingerprint: u64,
        progress: &Progress,
    ) -> io::Result<Journal> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        let mut file = File::create(&beside)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(fingerprint.to_le_bytes());
        bytes.extend((progress.done.len() as u64).to_le_bytes());
        for (done, begun) in progress.done.iter().zip(&progress.begun) {
            bytes.extend(done.to_le_bytes());
            bytes.extend(begun.to_le_bytes());
        }
        bytes.extend(progress.events.done.to_le_bytes());
        bytes.extend(progress.events.begun.to_le_bytes());
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        Ok(Journal { file, streams: progress.done.len() as u32 })
    }

    /// A transaction that ends here is sent now.
    pub(crate) fn begun(&self, stream: u32, to: u64) -> io::Result<()> {
        self.write(stream, 8, to)
    }

    /// Everything up to here was answered.
    pub(crate) fn done(&self, stream: u32, to: u64) -> io::Result<()> {
        self.write(stream, 0, to)
    }

    /// The event of this number is sent now, or was answered. The events' place is behind the last stream's.
    pub(crate) fn event(&self, number: usize, is_done: bool) -> io::Result<()> {
        let marked = number as u64 + 1;
        if is_done { self.done(self.streams, marked) } else { self.begun(self.streams, marked) }
    }

    /// The event of this number was refused: it is not in doubt.
    pub(crate) fn no_event(&self, number: usize) -> io::Result<()> {
        self.begun(self.streams, number as u64)
    }

    fn write(&self, stream: u32, place: u64, number: u64) -> io::Result<()> {
        let at = HEAD_BYTES + u64::from(stream) * STREAM_BYTES + place;
        let number = number.to_le_bytes();
        #[cfg(unix)]
        let written = self.file.write_at(&number, at)?;
        #[cfg(windows)]
        let written = self.file.seek_write(&number, at)?;
        if written < number.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_was_sent_and_not_answered_is_in_doubt_and_old_files_have_none() {
        let path = std::env::temp_dir().join(format!("rowstorm-events-{}", std::process::id()));
        let journal = Journal::create(&path, 7, &Progress::new(vec![5, 6])).unwrap();
        let read = || Progress::read(&path, 7).unwrap().events;
        let marks = |done, begun| EventMarks { done, begun };
        assert_eq!(read(), marks(0, 0));
        journal.event(0, false).unwrap();
        assert_eq!(read(), marks(0, 1));
        journal.no_event(0).unwrap();
        assert_eq!(read(), marks(0, 0));
        journal.event(0, true).unwrap();
        journal.event(1, false).unwrap();
        assert_eq!(read(), marks(1, 2));
        // As a release wrote it that knew no events.
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 16]).unwrap();
        assert_eq!(read(), marks(0, 0));
        assert_eq!(Progress::read(&path, 7).unwrap().done, [5, 6]);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_was_begun_and_not_answered_is_in_doubt_and_nothing_else_is() {
        let path = std::env::temp_dir().join(format!("rowstorm-journal-{}", std::process::id()));
        let journal = Journal::create(&path, 7, &Progress::new(vec![5, 6, 7])).unwrap();
        journal.begun(1, 20).unwrap();
        journal.begun(2, 9).unwrap();
        journal.done(2, 9).unwrap();
        let progress = Progress::read(&path, 7).unwrap();
        let other = Progress::read(&path, 8).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(progress.done, [5, 6, 9]);
        assert_eq!(progress.in_doubt(0), None);
        assert_eq!(progress.in_doubt(1), Some(6..20));
        assert_eq!(progress.in_doubt(2), None);
        assert!(other.to_string().contains("other changes"));
    }
}
