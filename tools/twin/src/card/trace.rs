// SPDX-License-Identifier: GPL-2.0

//! A record of what host and card said to each other, one line an event.
//!
//! Every line is `<µs since start> <kind> key=value ...`, for people and for
//! scripts alike; values hold no blanks. Kinds: `config-read`, `config-write`,
//! `read`, `write` (BAR0, values decoded big-endian), `state`, `ready`, `submit`, `slot`,
//! `entry`, `data-in`, `data-out`, `inline`, `overrun`, `task`, `response`, `ring`, `stall`,
//! `late-answer`, `consumer`, `mgmt`, `msi`, `msi-lost`, `msi-held`, `masked`, `dropped`,
//! `reset`, `another-card`, `faults`, `fault`, `dma-refused`, `protocol-error`, `map`,
//! `unmap`.
//!
//! While recording is off an event costs one relaxed load.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, LineWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Lines kept in memory; older ones are forgotten (a file keeps them all).
const MOST_LINES: usize = 1 << 20;

/// A handle on the record. Clones share it.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    on: AtomicBool,
    start: Instant,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    lines: VecDeque<String>,
    /// How many lines were forgotten, so that a [`Mark`] stays true.
    forgotten: usize,
    file: Option<LineWriter<File>>,
}

/// A place in the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(usize);

impl Default for Recorder {
    fn default() -> Self {
        Recorder(Arc::new(Shared {
            on: AtomicBool::new(false),
            start: Instant::now(),
            record: Mutex::default(),
        }))
    }
}

impl Recorder {
    /// Turns recording on or off; it begins off.
    pub fn record(&self, on: bool) {
        self.0.on.store(on, Ordering::Relaxed);
        if !on {
            self.flush();
        }
    }

    /// Whether events are recorded.
    pub fn is_on(&self) -> bool {
        self.0.on.load(Ordering::Relaxed)
    }

    /// The end of the record as it is now, for [`Recorder::since`].
    pub fn mark(&self) -> Mark {
        let record = self.lock();
        Mark(record.forgotten + record.lines.len())
    }

    /// The lines recorded since `mark`.
    pub fn since(&self, mark: Mark) -> Vec<String> {
        let record = self.lock();
        let skip = mark.0.saturating_sub(record.forgotten);
        record.lines.iter().skip(skip).cloned().collect()
    }

    /// All lines.
    pub fn lines(&self) -> Vec<String> {
        self.since(Mark::default())
    }

    /// Forgets all lines. Marks stay true.
    pub fn clear(&self) {
        let mut record = self.lock();
        record.forgotten += record.lines.len();
        record.lines.clear();
    }

    /// From now on writes every line to a file, too, and turns recording on.
    pub fn write_to(&self, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        self.lock().file = Some(LineWriter::new(file));
        self.record(true);
        Ok(())
    }

    /// Sees to it that the file holds every line so far.
    pub fn flush(&self) {
        if let Some(file) = &mut self.lock().file {
            if let Err(error) = file.flush() {
                tracing::warn!(%error, "the trace file cannot be written");
            }
        }
    }

    /// Records one event, if recording is on; `write` is called only then.
    pub fn event(&self, kind: &str, write: impl FnOnce(&mut String) -> fmt::Result) {
        if !self.is_on() {
            return;
        }
        let mut line = format!("{} {kind}", self.0.start.elapsed().as_micros());
        // A String takes whatever is written to it.
        let _ = write(&mut line);
        let mut record = self.lock();
        if let Some(file) = &mut record.file {
            if let Err(error) = writeln!(file, "{line}") {
                tracing::warn!(%error, "the trace file cannot be written: given up");
                record.file = None;
            }
        }
        if record.lines.len() == MOST_LINES {
            record.lines.pop_front();
            record.forgotten += 1;
        }
        record.lines.push_back(line);
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes as one hex word.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Appends one `key=value`.
macro_rules! field {
    ($line:expr, $($format:tt)+) => { write!($line, " {}", format_args!($($format)+)) };
}
pub(crate) use field;

/// The name of a SCSI operation code, for the trace.
pub fn operation(cdb: &[u8; 16]) -> &'static str {
    match (cdb[0], cdb[1] & 0x1f) {
        (0x00, _) => "TEST-UNIT-READY",
        (0x03, _) => "REQUEST-SENSE",
        (0x04, _) => "FORMAT-UNIT",
        (0x08, _) => "READ-6",
        (0x0a, _) => "WRITE-6",
        (0x12, _) => "INQUIRY",
        (0x15, _) => "MODE-SELECT-6",
        (0x1a, _) => "MODE-SENSE-6",
        (0x1b, _) => "START-STOP-UNIT",
        (0x1d, _) => "SEND-DIAGNOSTIC",
        (0x1e, _) => "PREVENT-ALLOW-MEDIUM-REMOVAL",
        (0x25, _) => "READ-CAPACITY-10",
        (0x28, _) => "READ-10",
        (0x2a, _) => "WRITE-10",
        (0x2e, _) => "WRITE-AND-VERIFY-10",
        (0x2f, _) => "VERIFY-10",
        (0x35, _) => "SYNCHRONIZE-CACHE-10",
        (0x3b, _) => "WRITE-BUFFER",
        (0x3c, _) => "READ-BUFFER",
        (0x41, _) => "WRITE-SAME-10",
        (0x42, _) => "UNMAP",
        (0x4d, _) => "LOG-SENSE",
        (0x55, _) => "MODE-SELECT-10",
        (0x5a, _) => "MODE-SENSE-10",
        (0x5e, _) => "PERSISTENT-RESERVE-IN",
        (0x5f, _) => "PERSISTENT-RESERVE-OUT",
        (0x85, _) => "ATA-PASS-THROUGH-16",
        (0x88, _) => "READ-16",
        (0x8a, _) => "WRITE-16",
        (0x8e, _) => "WRITE-AND-VERIFY-16",
        (0x8f, _) => "VERIFY-16",
        (0x91, _) => "SYNCHRONIZE-CACHE-16",
        (0x93, _) => "WRITE-SAME-16",
        (0x9e, 0x10) => "READ-CAPACITY-16",
        (0x9e, _) => "SERVICE-ACTION-IN-16",
        (0xa0, _) => "REPORT-LUNS",
        (0xa1, _) => "ATA-PASS-THROUGH-12",
        (0xa3, 0x0c) => "REPORT-SUPPORTED-OPERATION-CODES",
        (0xa3, _) => "MAINTENANCE-IN",
        (0xa8, _) => "READ-12",
        (0xaa, _) => "WRITE-12",
        _ => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn lines_marks_and_a_file() {
        let recorder = Recorder::default();
        recorder.event("read", |_| unreachable!("recording is off"));
        let file = tempfile::NamedTempFile::new().unwrap();
        recorder.write_to(file.path()).unwrap();
        recorder.event("read", |line| field!(line, "off={:#x}", 0x58));
        let mark = recorder.mark();
        recorder.event("slot", |line| field!(line, "cdb={}", Hex(&[0x12, 0])));
        recorder.record(false);
        let since = recorder.since(mark);
        assert!(
            since.len() == 1 && since[0].ends_with(" slot cdb=1200"),
            "{since:?}"
        );
        assert_eq!(recorder.lines().len(), 2);
        recorder.clear();
        assert!(recorder.lines().is_empty() && recorder.since(mark).is_empty());
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.contains(" read off=0x58\n") && text.lines().count() == 2);
    }
}
