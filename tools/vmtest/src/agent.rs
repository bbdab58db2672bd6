// SPDX-License-Identifier: GPL-2.0

//! The guest agent (qemu-ga), which starts our commands in the guest: one JSON
//! object a line over a virtio-serial port.
//!
//! The port has a memory: answers that nobody has fetched before a reboot may
//! still come after it. So a session opens with `guest-sync-delimited`, whose
//! answer begins with a 0xff byte and carries our own number; what came before it
//! is dropped.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::qmp::is_timeout;

const ANSWER: Duration = Duration::from_secs(60);
const SYNC: Duration = Duration::from_secs(5);

/// A connection to the guest's agent.
#[derive(Debug)]
pub struct Agent {
    stream: UnixStream,
    received: Vec<u8>,
    number: u64,
}

impl Agent {
    /// An agent that is not yet synchronized.
    pub fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            received: Vec::new(),
            number: u64::from(std::process::id()) << 16,
        }
    }

    /// Drops all old answers; false when no agent answers within some seconds.
    pub fn sync(&mut self) -> Result<bool> {
        self.number += 1;
        let request = json!({
            "execute": "guest-sync-delimited",
            "arguments": { "id": self.number },
        });
        self.stream.write_all(format!("{request}\n").as_bytes())?;
        let deadline = Instant::now() + SYNC;
        while let Some(line) = self.next(deadline)? {
            let line = after_delimiter(&line);
            let answer: Option<Value> = serde_json::from_slice(line).ok();
            if answer.is_some_and(|answer| answer["return"] == self.number) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Starts a program in the guest; gives its process id there.
    pub fn start(&mut self, program: &str, arguments: &[String]) -> Result<u64> {
        let answer = self.execute("guest-exec", &json!({ "path": program, "arg": arguments }))?;
        answer["pid"].as_u64().context("the agent gave no pid")
    }

    /// Whether a program has ended. The agent forgets it with this answer.
    pub fn reap(&mut self, pid: u64) -> Result<bool> {
        let answer = self.execute("guest-exec-status", &json!({ "pid": pid }))?;
        Ok(answer["exited"] == true)
    }

    fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let request = json!({ "execute": command, "arguments": arguments });
        self.stream
            .write_all(format!("{request}\n").as_bytes())
            .with_context(|| format!("send {command} to the guest's agent"))?;
        match self.next(Instant::now() + ANSWER)? {
            Some(line) => decode(&line).with_context(|| command.to_owned()),
            None => bail!("the guest's agent does not answer {command}"),
        }
    }

    /// The next line, or nothing when the time is up.
    fn next(&mut self, deadline: Instant) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let rest = self.received.split_off(end + 1);
                return Ok(Some(std::mem::replace(&mut self.received, rest)));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) => bail!("QEMU has closed the agent's socket"),
                Ok(count) => self.received.extend(&chunk[..count]),
                Err(error) if is_timeout(error.kind()) => {}
                Err(error) => return Err(error).context("read from the guest's agent"),
            }
        }
    }
}

/// What follows the last 0xff of a line.
fn after_delimiter(line: &[u8]) -> &[u8] {
    let begin = line.iter().rposition(|byte| *byte == 0xff);
    &line[begin.map_or(0, |at| at + 1)..]
}

fn decode(line: &[u8]) -> Result<Value> {
    let mut answer: Value = serde_json::from_slice(line)
        .with_context(|| format!("not JSON: {}", String::from_utf8_lossy(line)))?;
    if let Some(value) = answer.get_mut("return") {
        return Ok(value.take());
    }
    match answer["error"]["desc"].as_str() {
        Some(reason) => bail!("the guest's agent refuses: {reason}"),
        None => bail!("neither answer nor error: {answer}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::thread;

    /// An agent in a guest; `reply` makes its answers from our requests.
    fn agent(reply: impl Fn(&Value) -> Vec<u8> + Send + 'static) -> Agent {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut lines = BufReader::new(theirs.try_clone().unwrap());
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap_or(0) > 0 {
                theirs
                    .write_all(&reply(&serde_json::from_str(&line).unwrap()))
                    .unwrap();
                line.clear();
            }
        });
        Agent::new(ours)
    }

    #[test]
    fn sync_drops_what_came_before() {
        let mut agent = agent(|request| {
            let id = &request["arguments"]["id"];
            let mut bytes = b"{\"return\": {\"pid\": 7}}\n{\"return\": 1}\n\xff".to_vec();
            bytes.extend(format!("{{\"return\": {id}}}\n").as_bytes());
            bytes
        });
        assert!(agent.sync().unwrap());
        assert!(agent.received.is_empty());
    }

    #[test]
    fn a_program_is_started_and_reaped() {
        let mut agent = agent(|request| match request["execute"].as_str() {
            Some("guest-exec") => {
                assert_eq!(request["arguments"]["arg"][1], "two words");
                b"{\"return\": {\"pid\": 123}}\r\n".to_vec()
            }
            _ => b"{\"return\": {\"exited\": true, \"exitcode\": 0}}\n".to_vec(),
        });
        let pid = agent.start("/bin/echo", &["a".into(), "two words".into()]);
        assert_eq!(pid.unwrap(), 123);
        assert!(agent.reap(123).unwrap());
    }

    #[test]
    fn refusals_and_nonsense_are_errors() {
        let refusal = decode(b"{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n");
        assert!(refusal.unwrap_err().to_string().contains("no"));
        assert!(decode(b"{}").is_err());
        assert!(decode(b"\xff{").is_err());
        assert_eq!(after_delimiter(b"abc\xffdef"), b"def");
        assert_eq!(after_delimiter(b"def"), b"def");
    }
}
