// SPDX-License-Identifier: GPL-2.0

//! What commands cost at the card's registers: an entry of the submit ring for each, one write of
//! the index for a batch, one read and two writes for an interrupt, and none of it grows with what
//! is in flight. No register is read to submit.

use crate::common::{disks_appear, ends_clean, ok, ok_within, two_volumes};
use crate::trace::{Event, accesses, events, of_kind};
use vmtest::Vm;

/// The registers.
const SUBMIT_INDEX: u64 = 0x40;
const PRODUCER: u64 = 0x48;
const CONSUMER: u64 = 0x4c;
const SCSI_CAUSE: u64 = 0x59;
const MANAGEMENT_CAUSE: u64 = 0x5a;
const STATE_CAUSE: u64 = 0x5c;
const SUBMIT_RING: std::ops::Range<u64> = 0x174..0x174 + 2 * 129;

/// What a load cost.
#[derive(Debug)]
struct Cost {
    commands: usize,
    submit_writes: usize,
    /// As the card sent them.
    interrupts: usize,
    /// The handler ran: it begins with a write to the cause.
    looks: usize,
    /// In these it found nothing, and asked for the other causes.
    idle: usize,
    index_reads: usize,
    consumer_writes: usize,
}

impl Cost {
    fn of(lines: &[String]) -> Self {
        let all = events(lines);
        let cost = Self {
            commands: of_kind(&all, "submit"),
            submit_writes: accesses(&all, "write", SUBMIT_INDEX),
            interrupts: of_kind(&all, "msi"),
            looks: accesses(&all, "write", SCSI_CAUSE),
            idle: accesses(&all, "read", MANAGEMENT_CAUSE),
            index_reads: accesses(&all, "read", PRODUCER),
            consumer_writes: accesses(&all, "write", CONSUMER),
        };
        cost.is_all(&all);
        cost
    }

    /// There are no other accesses.
    fn is_all(&self, all: &[Event<'_>]) {
        let in_ring = |event: &&Event<'_>| {
            event.kind == "write" && SUBMIT_RING.contains(&event.number("off"))
        };
        assert_eq!(all.iter().filter(in_ring).count(), self.commands, "entries");
        let rest = accesses(all, "read", STATE_CAUSE);
        assert_eq!(
            of_kind(all, "read"),
            self.index_reads + self.idle + rest,
            "reads"
        );
        assert_eq!(
            of_kind(all, "write"),
            self.commands + self.submit_writes + self.looks + self.consumer_writes,
            "writes"
        );
        // One read and two writes, whatever is in flight.
        assert_eq!(self.index_reads, self.looks);
        assert_eq!(self.looks, self.consumer_writes + self.idle);
    }
}

/// A guest whose disks nobody looks at any more.
fn boot() -> Vm {
    let vm = two_volumes().trace().boot().unwrap();
    disks_appear(&vm);
    std::thread::sleep(vm.within(3));
    ok(&vm, "echo none >/sys/block/sda/queue/scheduler");
    vm
}

fn cost(vm: &Vm, command: &str) -> Cost {
    let before = vm.twin().trace().mark();
    ok_within(vm, 120, command);
    let cost = Cost::of(&vm.twin().trace().since(before));
    println!("{cost:?}");
    cost
}

#[test]
fn one_command_at_a_time() {
    let vm = boot();
    let cost = cost(
        &vm,
        "dd if=/dev/sda of=/dev/null bs=4k count=200 iflag=direct status=none",
    );
    assert!(cost.commands >= 200, "only {} commands", cost.commands);
    assert_eq!(cost.submit_writes, cost.commands);
    assert_eq!(cost.consumer_writes, cost.commands);
    // The handler may still be looking when the next command is done. That one's interrupt finds
    // nothing, and asks the card why it came.
    assert!(cost.idle <= cost.commands / 20, "{cost:?}");
    ends_clean(vm);
}

#[test]
fn many_commands_at_a_time() {
    let vm = boot();
    let fio = |depth: u32, batch: u32| {
        format!(
            "fio --name=a --filename=/dev/sda --direct=1 --ioengine=libaio --rw=randread --bs=4k \
             --iodepth={depth} --iodepth_batch_submit={batch} --iodepth_batch_complete_min={batch} \
             --number_ios=4000 --output-format=terse >/dev/null"
        )
    };
    let batches = cost(&vm, &fio(32, 16));
    assert!(
        batches.commands >= 4000,
        "only {} commands",
        batches.commands
    );
    // Sixteen at a time, as far as tags and the queue's depth let them.
    assert!(batches.submit_writes * 8 < batches.commands, "{batches:?}");

    // As many as the card takes; no read or write more for each interrupt.
    let deep = cost(&vm, &fio(60, 60));
    assert!(deep.consumer_writes * 2 < deep.commands, "{deep:?}");
    assert!(deep.looks <= deep.interrupts, "{deep:?}");
    ends_clean(vm);
}
