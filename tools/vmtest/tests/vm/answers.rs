// SPDX-License-Identifier: GPL-2.0

//! How long an answer is, and what lies behind it; and what a read has brought that fails.

use crate::common::{Unit, disks_appear, ends_clean, ok, ok_within, two_volumes, unit};
use crate::trace::{Event, events};
use vmtest::{Iommu, Vm};

/// Sends commands that say how much they want, by both nodes of a unit, and looks at every byte.
fn sweep(vm: &Vm, arguments: &str) {
    let sgio = vm.guest_tool("sgio").unwrap();
    let Unit { generic, disk } = unit(vm, 1);
    let command = format!("{sgio} sweep {arguments} {generic} {disk}");
    print!("{}", ok_within(vm, 200, &command));
}

/// INQUIRY of every length up to a page and a bit; all others of some lengths.
#[test]
fn behind_an_answer_there_are_zeros_and_they_are_the_residual() {
    let vm = two_volumes().iommu(Iommu::Strict).boot().unwrap();
    disks_appear(&vm);
    ok(&vm, "echo 1 >/sys/module/sg/parameters/allow_dio");
    let most = vm.repetitions(4100);
    sweep(&vm, &format!("--most {most} --only INQUIRY"));
    sweep(&vm, "--most 48");
    // As people send them.
    for (command, len) in [
        ("sg_raw -b -r 255 /dev/sda 12 00 00 00 ff 00", 96),
        (
            "sg_raw -b -r 4096 /dev/sda a0 00 00 00 00 00 00 00 10 00 00 00",
            24,
        ),
    ] {
        assert_eq!(
            ok(&vm, &format!("{command} 2>/dev/null | wc -c")),
            format!("{len}\n")
        );
    }
    ends_clean(vm);
}

/// 13 bytes, as in the article: an entry of 8, and one for the last 5 that leads to the tag's own 8.
#[test]
fn thirteen_bytes_of_inquiry_data() {
    let vm = two_volumes().twin("inline=never").trace().boot().unwrap();
    disks_appear(&vm);
    std::thread::sleep(vm.within(3));
    let before = vm.twin().trace().mark();
    for _ in 0..3 {
        ok(&vm, "sg_raw -r 13 /dev/sg0 12 00 00 00 0d 00");
    }
    let lines = vm.twin().trace().since(before);
    let events = events(&lines);
    let slots: Vec<_> = events.iter().filter(|event| event.kind == "slot").collect();
    assert_eq!(slots.len(), 3);
    let mut bases = Vec::new();
    for slot in slots {
        println!("{}", slot.line);
        let tag = slot.number("tag");
        assert_eq!(
            (slot.text("data"), slot.number("index")),
            ("list", tag * 37)
        );
        let entries: Vec<_> = events
            .iter()
            .filter(|event| event.kind == "entry" && event.number("tag") == tag)
            .collect();
        entries.iter().for_each(|entry| println!("{}", entry.line));
        let lengths: Vec<u64> = entries.iter().map(|entry| entry.number("bytes")).collect();
        assert_eq!(lengths, [8, 8]);
        // Each tag has 32 bytes; macOS's tags have 8.
        bases.push(entries[1].number("addr") - 32 * tag);
    }
    bases.dedup();
    assert_eq!(bases.len(), 1, "{bases:x?}");
    ends_clean(vm);
}

/// The card moves half of an answer, says GOOD, and states no residual. The last bytes travel
/// through memory of the tag's own; those of an earlier answer are not there any more.
#[test]
fn nothing_is_left_of_an_earlier_answer() {
    let vm = two_volumes().twin("inline=never").boot().unwrap();
    disks_appear(&vm);
    std::thread::sleep(vm.within(3));
    let ask = "sg_raw -b -r 13 /dev/sg0 12 00 00 00 0d 00 2>/dev/null | tail -c 5 | od -An -tx1";
    // Every tag's turn comes.
    let whole = ok(
        &vm,
        &format!("for n in $(seq 150); do {ask}; done | sort -u"),
    );
    assert_eq!(whole.lines().count(), 1, "{whole}");
    assert!(!whole.contains("00 00"), "{whole}");
    vm.twin().set_faults("short-data:1", 1).unwrap();
    let half = ok(
        &vm,
        &format!("for n in $(seq 30); do {ask}; done | sort -u"),
    );
    assert_eq!(half, " 00 00 00 00 00\n");
    vm.twin().set_faults("none", 1).unwrap();
    ends_clean(vm);
}

/// A read fails, and the sense names the block: what lies before it is good. The disk's driver
/// takes it, and fails the rest.
#[test]
fn before_a_bad_block_all_is_good() {
    let vm = two_volumes().trace().boot().unwrap();
    disks_appear(&vm);
    let fill = "head -c 64k /dev/urandom >/tmp/data && \
        dd if=/tmp/data of=/dev/sda bs=64k oflag=direct status=none";
    ok(&vm, fill);
    std::thread::sleep(vm.within(3));
    // Four reads of 16 KiB that the block layer makes one command of; the first is good.
    vm.twin().set_faults("sense-medium-error:1@40", 1).unwrap();
    let before = vm.twin().trace().mark();
    let said = ok(
        &vm,
        "fio --name=a --filename=/dev/sda --direct=1 --ioengine=libaio --rw=read --bs=16k \
            --size=64k --iodepth=4 --iodepth_batch=4 --continue_on_error=read \
            --ignore_error=61 --output-format=json",
    );
    let lines = vm.twin().trace().since(before);
    let of_all = |event: &Event<'_>| event.text("cdb").starts_with("28000000000000008000");
    let reads = events(&lines);
    assert!(reads.iter().any(of_all), "{lines:?}");
    assert!(said.contains("\"total_err\" : 3,"), "{said}");

    // The same to a program that asks for itself.
    let sgio = vm.guest_tool("sgio").unwrap();
    for node in ["sg0", "sda"] {
        let read = format!(
            "{sgio} one --guard --cdb 28000000000000008000 --len 65536 --dir in --dump /dev/{node} >/tmp/out; \
             grep -v data /tmp/out; sed -n 's/^data //p' /tmp/out | head -c {} >/tmp/hex; \
             head -c {} /tmp/data | od -An -v -tx1 | tr -d ' \\n' | cmp - /tmp/hex",
            40 * 512 * 2,
            40 * 512,
        );
        let said = ok(&vm, &read);
        assert!(said.starts_with("CHECK 03/11/00, resid 45056,"), "{said}");
        // VALID, and the block.
        assert!(said.contains("sense f0000300000028"), "{said}");
    }
    vm.twin().set_faults("none", 1).unwrap();
    ends_clean(vm);
}
