// SPDX-License-Identifier: GPL-2.0

//! The machine itself, without a driver: commands, their ends, and the guest's.

use std::fs;
use std::time::{Duration, Instant};

use vmtest::{Builder, Error, Iommu, Vm, VolumeSpec};

fn builder() -> Builder {
    Vm::builder().no_load()
}

#[test]
#[ignore = "left to make check-all"]
fn a_guest_runs_commands_and_reboots() {
    let vm = builder().memory(1 << 30).cpus(2).boot().unwrap();
    statuses_and_streams(&vm);
    output_of_any_size_and_kind(&vm);
    a_command_that_is_too_slow(&vm);
    two_commands_at_once(&vm);
    the_guest_is_as_asked_for(&vm);

    let boot_id = "cat /proc/sys/kernel/random/boot_id";
    let first = vm.exec(boot_id).unwrap();
    vm.reboot().unwrap();
    let second = vm.exec(boot_id).unwrap();
    assert_ne!(first, second);
    vm.reset().unwrap();
    assert_ne!(second, vm.exec(boot_id).unwrap());

    assert_eq!(vm.reports().unwrap(), []);
    assert_eq!(vm.shutdown().unwrap(), []);
}

fn statuses_and_streams(vm: &Vm) {
    let output = vm.exec("echo out; echo err >&2; exit 42").unwrap();
    assert_eq!(output.status, 42);
    assert_eq!(output.stdout_text(), "out\n");
    assert_eq!(output.stderr_text(), "err\n");
    let output = vm
        .exec("echo 1; echo 2 >/dev/stdout; echo 3 >&2; echo 4 >/dev/stderr")
        .unwrap();
    assert_eq!(output.stdout_text(), "1\n2\n");
    assert_eq!(output.stderr_text(), "3\n4\n");
    // What is left behind does not hold the command up.
    assert_eq!(vm.exec("sleep 60 & echo on").unwrap().stdout, b"on\n");
    assert_eq!(vm.exec("kill -KILL $$").unwrap().status, 128 + 9);
    assert_eq!(vm.exec("no-such-program").unwrap().status, 127);
    let words = vm
        .spawn_program(&["printf", "%s|", "two words", "$HOME"])
        .unwrap();
    let output = words.wait(Duration::from_secs(20)).unwrap();
    assert_eq!(output.stdout, b"two words|$HOME|");
}

fn output_of_any_size_and_kind(vm: &Vm) {
    let output = vm.exec(r"printf '\000\377\n\r\001'").unwrap();
    assert_eq!(output.stdout, b"\0\xff\n\r\x01");
    let output = vm.exec("head -c 20000000 /dev/zero").unwrap();
    assert_eq!(output.stdout.len(), 20_000_000);
}

fn a_command_that_is_too_slow(vm: &Vm) {
    let begin = Instant::now();
    let job = vm.spawn("echo begun; sleep 4321").unwrap();
    let error = job.wait(Duration::from_secs(2)).unwrap_err();
    assert!(
        matches!(error, Error::Timeout { seconds: 2, .. }),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("sleep 4321") && message.ends_with("begun"),
        "{message}"
    );
    // Where it was.
    assert!(message.contains(" sleep, S (sleeping):\n"), "{message}");
    assert!(message.contains("hrtimer_nanosleep"), "{message}");
    assert!(begin.elapsed() < vm.within(22));
    // It is not left behind, nor what it started.
    let left = vm.exec("sleep 0.5; pgrep -f '[s]leep 4321'").unwrap();
    assert_eq!(left.stdout_text(), "");
}

fn two_commands_at_once(vm: &Vm) {
    let waiting = vm
        .spawn("echo early; until [ -e /tmp/go ]; do sleep 0.1; done; echo late")
        .unwrap();
    assert_eq!(vm.exec("touch /tmp/go").unwrap().status, 0);
    let output = waiting.wait(Duration::from_secs(20)).unwrap();
    assert_eq!(output.stdout, b"early\nlate\n");
}

fn the_guest_is_as_asked_for(vm: &Vm) {
    let text = vm
        .exec("free -m | awk '/^Mem/ { print $2 }'; nproc")
        .unwrap()
        .stdout_text();
    let numbers: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    // KASAN takes an eighth of it.
    assert!((700..=1024).contains(&numbers[0]), "{text}");
    assert_eq!(numbers[1], 2);
    // The card is there; the build root is not to be written to.
    let card = vm.exec("lspci -n -d 106b:008a").unwrap();
    assert!(card.stdout_text().contains("01:00.0 0104"), "{card:?}");
    let written = vm
        .exec("echo changed >/etc/hostname && cat /etc/hostname")
        .unwrap();
    assert_eq!(written.stdout_text(), "changed\n");
    assert_ne!(
        fs::read_to_string("/etc/hostname").unwrap_or_default(),
        "changed\n"
    );
}

#[test]
#[ignore = "left to make check-all"]
fn a_panic_ends_the_command_at_once() {
    let vm = builder().no_card().boot().unwrap();
    let begin = Instant::now();
    let error = vm
        .exec("echo c >/proc/sysrq-trigger; sleep 1000")
        .unwrap_err();
    let Error::Panic(reports) = error else {
        panic!("{error}")
    };
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert!(reports[0].text.contains("sysrq triggered crash"));
    // The log outlives the guest.
    assert!(vm.console_log().contains("sysrq triggered crash"));
}

#[test]
#[ignore = "left to make check-all"]
fn a_dead_qemu_ends_the_command_at_once() {
    let vm = builder().no_card().boot().unwrap();
    let job = vm.spawn("sleep 1000").unwrap();
    vm.qmp().execute("quit", serde_json::json!({})).unwrap();
    let error = job.wait(Duration::from_secs(30)).unwrap_err();
    assert!(matches!(error, Error::Died(_)), "{error}");
}

#[test]
#[ignore = "left to make check-all"]
fn a_guest_with_everything() {
    let share = tempfile::tempdir().unwrap();
    fs::write(share.path().join("from-host"), "hello").unwrap();
    let vm = builder()
        .memory(7 << 30)
        .cpus(1)
        .iommu(Iommu::Strict)
        .behind_bridge()
        .volume(VolumeSpec::Size(16 << 40))
        .append("vm.test=1")
        .share(share.path())
        .boot()
        .unwrap();
    let groups = vm
        .exec("ls /sys/kernel/iommu_groups | wc -l; grep -c vm.test=1 /proc/cmdline")
        .unwrap();
    let text = groups.stdout_text();
    let (count, appended) = text.trim().split_once('\n').unwrap();
    assert!(count.parse::<u32>().unwrap() > 3);
    assert_eq!(appended, "1");
    let card = vm.exec("lspci -n -d 106b:008a").unwrap();
    assert!(card.stdout_text().contains("02:01.0"), "{card:?}");
    let memory = vm.exec("free -m | awk '/^Mem/ { print $2 }'").unwrap();
    assert!(memory.stdout_text().trim().parse::<u32>().unwrap() > 5500);
    let copy = vm
        .exec("cat /mnt/share/from-host >/mnt/share/from-guest")
        .unwrap();
    assert_eq!(copy.status, 0, "{copy:?}");
    assert_eq!(fs::read(share.path().join("from-guest")).unwrap(), b"hello");
}
