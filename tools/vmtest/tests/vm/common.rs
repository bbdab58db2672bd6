// SPDX-License-Identifier: GPL-2.0

//! What the tests of the driver share.

use std::time::{Duration, Instant};

use apple_raid_twin::CardParams;
use vmtest::{Builder, Output, Vm, VolumeSpec};

/// A guest with two volumes of the card, on which nothing else is.
pub fn two_volumes() -> Builder {
    Vm::builder()
        .memory(1 << 30)
        .volume(VolumeSpec::Size(1 << 30))
        .volume(VolumeSpec::Size(3 << 30))
}

/// Runs a command that has to succeed; gives what it printed.
pub fn ok(vm: &Vm, command: &str) -> String {
    succeeded(vm.exec(command).unwrap(), command)
}

/// As [`ok`], for a command that takes longer.
pub fn ok_within(vm: &Vm, seconds: u64, command: &str) -> String {
    let job = vm.spawn(command).unwrap();
    succeeded(job.wait(vm.within(seconds)).unwrap(), command)
}

/// The command succeeded; gives what it printed.
pub fn succeeded(output: Output, command: &str) -> String {
    assert_eq!(
        output.status,
        0,
        "{command}\n{}{}",
        output.stdout_text(),
        output.stderr_text()
    );
    output.stdout_text()
}

/// Waits until a command succeeds in the guest: at most 20 s, or what that is on its kernel.
pub fn wait_for(vm: &Vm, command: &str) {
    let end = Instant::now() + vm.within(20);
    while vm.exec(command).unwrap().status != 0 {
        assert!(Instant::now() < end, "never: {command}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until the card has completed so many commands more. A load that got so far runs; how
/// many commands it keeps in flight depends on who is faster, guest or card.
pub fn wait_for_commands(vm: &Vm, count: u64) {
    let goal = vm.twin().report().completed + count;
    let end = Instant::now() + vm.within(20);
    while vm.twin().report().completed < goal {
        assert!(Instant::now() < end, "no {count} commands");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How often a test does what can be done any number of times: `VMTEST_TIMES`, or else as often as
/// is usual.
pub fn times(vm: &Vm, usual: u64) -> u64 {
    match std::env::var("VMTEST_TIMES") {
        Ok(times) => times.parse().expect("VMTEST_TIMES is a number"),
        Err(_) => vm.repetitions(usual),
    }
}

/// What the guest's kernel logged of the driver, the midlayer and the disks.
pub fn driver_log(vm: &Vm) -> String {
    ok(
        vm,
        "dmesg | grep -E 'apple_raid|scsi|sd [0-9]' | sed 's/^\\[[^]]*\\] //'",
    )
}

/// Nothing was reported by the guest's kernel, and the driver asked nothing of the card that it
/// should not have; powers off.
pub fn ends_clean(vm: Vm) {
    let report = vm.twin().report();
    assert_eq!(report.dma_refused, 0, "{report:?}");
    assert_eq!(report.overruns, 0, "{report:?}");
    assert_eq!(report.protocol_errors, 0, "{report:?}");
    assert_eq!(vm.reports().unwrap(), []);
    assert_eq!(vm.shutdown().unwrap(), []);
}

/// A logical unit as the guest has it.
pub struct Unit {
    /// /dev/sdX
    pub disk: String,
    /// /dev/sgN
    pub generic: String,
}

/// The unit with that LUN, as soon as it has both nodes: disks are probed in the background.
pub fn unit(vm: &Vm, lun: u16) -> Unit {
    let device = format!("/sys/class/scsi_device/*:{lun}/device");
    let both = format!("ls {device}/block {device}/scsi_generic >/dev/null 2>&1");
    wait_for(vm, &both);
    let text = ok(vm, &format!("ls {device}/block; ls {device}/scsi_generic"));
    let [disk, generic] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("LUN {lun} has the nodes {text:?}");
    };
    Unit {
        disk: format!("/dev/{disk}"),
        generic: format!("/dev/{generic}"),
    }
}

/// What the host shows in sysfs of the card.
pub fn attribute(vm: &Vm, name: &str) -> String {
    let text = ok(vm, &format!("cat /sys/class/scsi_host/host*/{name}"));
    text.trim_end().to_owned()
}

/// Puts another card into the slot, with the same volumes, while the driver is not loaded.
pub fn another_card(vm: &Vm, settings: &str) {
    vm.twin()
        .become_another(settings.parse::<CardParams>().unwrap());
}

/// Waits for both disks: they are probed in the background.
pub fn disks_appear(vm: &Vm) {
    wait_for(vm, "[ -b /dev/sda -a -b /dev/sdb ]");
}
