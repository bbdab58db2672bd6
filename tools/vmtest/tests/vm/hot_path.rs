// SPDX-License-Identifier: GPL-2.0

//! What a command costs at the card's registers: two writes to submit it, and one write and one
//! read for its interrupt. No register is read to submit.

use crate::common::{ends_clean, ok, two_volumes};

/// How many lines have this access.
fn count(lines: &[String], kind: &str, off: &str) -> usize {
    let off = format!("off={off}");
    lines
        .iter()
        .filter(|line| {
            let mut words = line.split(' ').skip(1);
            words.next() == Some(kind) && words.next() == Some(&off)
        })
        .count()
}

#[test]
fn four_accesses_for_a_command() {
    let vm = two_volumes().trace().boot().unwrap();
    // Disks are looked at in the background.
    std::thread::sleep(vm.within(3));
    let before = vm.twin().trace().mark();
    ok(
        &vm,
        "dd if=/dev/sda of=/dev/null bs=4k count=200 iflag=direct status=none",
    );
    let lines = vm.twin().trace().since(before);

    let commands = lines.iter().filter(|l| l.contains(" slot ")).count();
    assert!(commands >= 200, "only {commands} commands");
    assert_eq!(count(&lines, "write", "0x174"), commands, "mailbox");
    assert_eq!(count(&lines, "write", "0x40"), commands, "doorbell");
    assert_eq!(count(&lines, "write", "0x59"), commands, "acknowledge");
    assert_eq!(count(&lines, "read", "0x58"), commands, "status");
    let reads = lines.iter().filter(|l| l.contains(" read off=")).count();
    let writes = lines.iter().filter(|l| l.contains(" write off=")).count();
    // The handler may still be looking when the next command is done. That one's interrupt finds
    // nothing, and asks the card why it came.
    let why = count(&lines, "read", "0x5c");
    assert!(why <= commands / 20, "{why} interrupts too many");
    assert_eq!((reads - why, writes), (commands, 3 * commands), "others");
    ends_clean(vm);
}
