// SPDX-License-Identifier: GPL-2.0

//! QMP, by which QEMU is told to reset the guest, to unplug the card, and the like:
//! one JSON object a line, answers and events in one stream.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

const ANSWER: Duration = Duration::from_secs(30);

/// A QMP session.
#[derive(Debug)]
pub struct Qmp {
    stream: UnixStream,
    reader: BufReader<UnixStream>,
    partial: String,
    events: VecDeque<Value>,
}

impl Qmp {
    /// Greets, and leaves the negotiation mode.
    pub fn new(stream: UnixStream) -> Result<Self> {
        let mut qmp = Self {
            reader: BufReader::new(stream.try_clone()?),
            stream,
            partial: String::new(),
            events: VecDeque::new(),
        };
        let greeting = qmp.next(Instant::now() + ANSWER)?;
        if greeting.as_ref().and_then(|line| line.get("QMP")).is_none() {
            bail!("QEMU did not greet: {greeting:?}");
        }
        qmp.execute("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Runs a command and gives what it returns.
    pub fn execute(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let request = json!({ "execute": command, "arguments": arguments });
        self.stream
            .write_all(format!("{request}\n").as_bytes())
            .with_context(|| format!("send {command} to QEMU"))?;
        let deadline = Instant::now() + ANSWER;
        while let Some(mut line) = self.next(deadline)? {
            if let Some(value) = line.get_mut("return") {
                return Ok(value.take());
            }
            if let Some(error) = line.get("error") {
                bail!("QEMU refuses {command}: {}", error["desc"]);
            }
            self.events.push_back(line);
        }
        bail!("QEMU does not answer {command}")
    }

    /// Waits for an event, such as DEVICE_DELETED, and gives its data.
    pub fn wait_event(&mut self, name: &str, limit: Duration) -> Result<Value> {
        let deadline = Instant::now() + limit;
        loop {
            let position = self.events.iter().position(|event| event["event"] == name);
            if let Some(mut event) = position.and_then(|at| self.events.remove(at)) {
                return Ok(event["data"].take());
            }
            match self.next(deadline)? {
                Some(line) => self.events.push_back(line),
                None => bail!("no {name} from QEMU within {} s", limit.as_secs()),
            }
        }
    }

    /// The next line, or nothing when the time is up.
    fn next(&mut self, deadline: Instant) -> Result<Option<Value>> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.reader.read_line(&mut self.partial) {
                Ok(0) => bail!("QEMU has closed its control socket"),
                Ok(_) => {
                    let line = std::mem::take(&mut self.partial);
                    return Ok(Some(serde_json::from_str(&line)?));
                }
                Err(error) if is_timeout(error.kind()) => {}
                Err(error) => return Err(error).context("read from QEMU"),
            }
        }
    }
}

/// Whether a read ended because its time was up, or for a signal.
pub(crate) fn is_timeout(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// A QEMU that says these lines, whatever it is told.
    fn saying(lines: &'static str) -> UnixStream {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            theirs
                .write_all(b"{\"QMP\": {}}\n{\"return\": {}}\n")
                .unwrap();
            theirs.write_all(lines.as_bytes()).unwrap();
            let _ = std::io::copy(&mut theirs, &mut std::io::sink());
        });
        ours
    }

    #[test]
    fn events_between_are_kept() {
        let mut qmp = Qmp::new(saying(
            "{\"event\": \"DEVICE_DELETED\", \"data\": {\"device\": \"card\"}}\n{\"return\": {\"a\": 1}}\n",
        ))
        .unwrap();
        assert_eq!(qmp.execute("query", json!({})).unwrap()["a"], 1);
        let data = qmp.wait_event("DEVICE_DELETED", ANSWER).unwrap();
        assert_eq!(data["device"], "card");
        assert!(qmp.wait_event("RESET", Duration::from_millis(10)).is_err());
    }

    #[test]
    fn errors_say_what_was_refused() {
        let mut qmp = Qmp::new(saying("{\"error\": {\"desc\": \"no such thing\"}}\n")).unwrap();
        let error = qmp.execute("device_del", json!({})).unwrap_err();
        assert!(error.to_string().contains("device_del"));
        assert!(error.to_string().contains("no such thing"));
    }
}
