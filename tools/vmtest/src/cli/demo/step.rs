// SPDX-License-Identifier: GPL-2.0

//! One step of the demo: a command, and what it has to come to.

use vmtest::Output;

/// How many lines of output are shown, unless a step says otherwise.
const LINES: usize = 30;

/// What the bits of smartctl's exit status mean (smartctl(8), EXIT STATUS). Of a
/// volume that was never used before, none of them is expected.
const SMARTCTL: [&str; 8] = [
    "its command line did not parse",
    "the device could not be opened, or does not identify itself",
    "a SMART command to the disk failed",
    "the disk says that it is failing",
    "an attribute is at its threshold: the disk is about to fail",
    "an attribute was at its threshold some time ago",
    "the disk's error log has errors",
    "the disk's self-test log has errors",
];

/// A shell command with a title, and what is expected of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// What people read above the output, and in the line about a failure.
    pub title: &'static str,
    /// What the guest's shell gets.
    pub command: String,
    /// How many lines of its output are shown.
    pub lines: usize,
    expected: Vec<String>,
}

impl Step {
    /// A step whose command has to end with status 0.
    pub fn new(title: &'static str, command: impl Into<String>) -> Self {
        Self {
            title,
            command: command.into(),
            lines: LINES,
            expected: Vec::new(),
        }
    }

    /// Its output has to contain a text.
    pub fn expect(mut self, text: impl Into<String>) -> Self {
        self.expected.push(text.into());
        self
    }

    /// Only so many lines of its output are shown.
    pub fn lines(mut self, count: usize) -> Self {
        self.lines = count;
        self
    }

    /// Whether the command came to what is expected; why not, if it did not.
    pub fn judge(&self, output: &Output) -> Result<(), String> {
        if output.status != 0 {
            return Err(self.why(output.status));
        }
        let text = output.stdout_text();
        match self
            .expected
            .iter()
            .find(|part| !text.contains(part.as_str()))
        {
            Some(part) => Err(format!("its output does not say {part:?}")),
            None => Ok(()),
        }
    }

    fn why(&self, status: i32) -> String {
        let ended = format!("the command ended with status {status}");
        // A shell's own statuses (127: no such program) stand in no table of bits.
        if !self.command.starts_with("smartctl ") || status >= 126 {
            return ended;
        }
        let bits = SMARTCTL.iter().enumerate();
        let set = bits.filter(|(bit, _)| (status >> bit) & 1 == 1);
        let meanings: Vec<&str> = set.map(|(_, meaning)| *meaning).collect();
        format!("{ended}: {}", meanings.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::Step;
    use vmtest::Output;

    fn output(status: i32, stdout: &str) -> Output {
        Output {
            status,
            stdout: stdout.into(),
            stderr: b"SMART Health Status: OK".to_vec(),
        }
    }

    fn smartctl() -> Step {
        Step::new("health", "smartctl -H /dev/sda").expect("SMART Health Status: OK")
    }

    #[test]
    fn a_good_end_passes() {
        let good = output(0, "...\nSMART Health Status: OK\n");
        assert_eq!(smartctl().judge(&good), Ok(()));
        assert_eq!(Step::new("t", "true").judge(&output(0, "")), Ok(()));
    }

    #[test]
    fn a_failing_command_is_refused() {
        let step = Step::new("t", "false");
        let why = step.judge(&output(1, "")).unwrap_err();
        assert!(why.contains("status 1"), "{why}");
        // Whatever it printed before.
        assert!(
            smartctl()
                .judge(&output(1, "SMART Health Status: OK"))
                .is_err()
        );
    }

    #[test]
    fn an_output_that_lacks_what_is_expected_is_refused() {
        let failing = output(
            0,
            "SMART Health Status: FAILURE PREDICTION THRESHOLD EXCEEDED",
        );
        let why = smartctl().judge(&failing).unwrap_err();
        assert!(why.contains("SMART Health Status: OK"), "{why}");
    }

    #[test]
    fn the_bits_of_smartctl_are_told() {
        let why = smartctl().judge(&output(8 + 4, "")).unwrap_err();
        assert!(why.contains("failing"), "{why}");
        assert!(why.contains("a SMART command to the disk failed"), "{why}");
        assert!(!why.contains("self-test"), "{why}");
        let missing = smartctl().judge(&output(127, "")).unwrap_err();
        assert!(!missing.contains("parse"), "{missing}");
    }
}
