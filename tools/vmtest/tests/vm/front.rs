// SPDX-License-Identifier: GPL-2.0

//! The program behind tools/vm: its streams and its exit statuses.

use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use apple_raid_twin::{FAULTS, KEYS};

fn vm(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmtest"));
    command
        .arg("run")
        .args(["--no-load", "--memory", "512M"])
        .args(words);
    command
}

fn run(words: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = vm(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn the_commands_status_and_streams_are_passed_on() {
    let (status, out, err) = run(&["--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!((status, out.as_str()), (3, "out\n"));
    assert!(err.ends_with("err\n"), "{err}");
}

#[test]
#[ignore = "left to make check-all"]
fn output_comes_while_the_command_runs() {
    let mut child = vm(&["--timeout", "60", "--", "echo early; sleep 50"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    assert_eq!(&first, b"early\n");
    assert!(child.try_wait().unwrap().is_none());
    // Killed outright, it leaves no QEMU: the next one gets the lock, and soon.
    let left = qemus_of(child.id());
    assert_eq!(left.len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    thread::sleep(Duration::from_secs(1));
    assert!(!left.iter().any(|pid| is_alive(*pid)));
}

#[test]
fn a_warning_of_the_kernel_is_125_though_the_command_succeeds() {
    let warning = "WARNING: CPU: 0 PID: 1 at made/up.c:1 nothing+0x1/0x2";
    let command = format!("echo '<4>{warning}' >/dev/kmsg; echo fine");
    let (status, out, err) = run(&["--", &command]);
    assert_eq!((status, out.as_str()), (125, "fine\n"));
    assert!(err.contains(warning), "{err}");
}

#[test]
fn a_panic_is_125() {
    let (status, _, err) = run(&["--", "echo c >/proc/sysrq-trigger; sleep 1000"]);
    assert_eq!(status, 125);
    assert!(err.contains("sysrq triggered crash"), "{err}");
}

#[test]
#[ignore = "left to make check-all"]
fn a_timeout_is_124() {
    let (status, out, err) = run(&["--timeout", "1", "--", "echo before; sleep 1000"]);
    assert_eq!((status, out.as_str()), (124, "before\n"));
    assert!(err.contains("did not end within 1 s"), "{err}");
}

#[test]
#[ignore = "left to make check-all"]
fn a_demo_that_fails_names_the_step() {
    // Without its file system, the kernel can do all but the mount. The driver is
    // needed: `make module`.
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_vmtest"))
        .args(["demo", "--append", "module_blacklist=ext4"])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    assert_eq!(status.code(), Some(1), "{err}");
    let last = err.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("demo: FAILED at \"It is mounted\": "),
        "{err}"
    );
    assert!(out.contains("# mkfs.ext4"), "{out}");
    assert!(!out.contains("all of it worked"), "{out}");
}

#[test]
fn what_cannot_be_is_126_and_says_why() {
    let (status, _, err) = run(&["--twin", "no-such-key=1", "--", "true"]);
    assert_eq!(status, 126);
    assert!(err.contains("no-such-key"), "{err}");
    let (status, _, err) = run(&["--twin", "fault=nonsense", "--", "true"]);
    assert_eq!(status, 126);
    assert!(err.contains("no fault \"nonsense\""), "{err}");
    assert!(err.contains("lost-interrupt"), "{err}");
}

/// What a command of `tools/vm` prints that needs no guest.
fn list(command: &str) -> String {
    let Output { status, stdout, .. } = Command::new(env!("CARGO_BIN_EXE_vmtest"))
        .arg(command)
        .output()
        .unwrap();
    assert!(status.success());
    String::from_utf8(stdout).unwrap()
}

#[test]
fn faults_and_settings_are_listed() {
    let faults = list("faults");
    for fault in FAULTS {
        let line = format!(" {} ", fault.name);
        assert!(faults.contains(&line), "{} is not in\n{faults}", fault.name);
    }
    let settings = list("settings");
    for key in KEYS {
        let line = format!(" {}={} ", key.name, key.values);
        assert!(
            settings.contains(&line),
            "{} is not in\n{settings}",
            key.name
        );
    }
    assert!(
        settings.contains(" odd=list-first-unit-only "),
        "{settings}"
    );
}

/// The QEMUs that a process has started.
fn qemus_of(parent: u32) -> Vec<u32> {
    let output = Command::new("pgrep")
        .args(["-P", &parent.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/status"))
        .is_ok_and(|status| !status.contains("State:\tZ"))
}
