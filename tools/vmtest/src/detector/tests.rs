// SPDX-License-Identifier: GPL-2.0

//! Sample logs, guilty and innocent.

use super::{has_panic, injection, reports};

/// What a kernel says when something is wrong: the first line of each report.
const GUILTY: &[&str] = &[
    "[   12.345678] BUG: kernel NULL pointer dereference, address: 0000000000000000",
    "[   12.345678] BUG: unable to handle page fault for address: ffffc90000000000",
    "[   12.345678] Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP",
    "[   12.345678] Oops: Oops: 0002 [#1] SMP NOPTI",
    "[   12.345678][  T123] WARNING: CPU: 1 PID: 123 at drivers/scsi/scsi_lib.c:612 scsi_end_request+0x1/0x2",
    "[   12.345678] WARNING: drivers/scsi/scsi_lib.c:612 at scsi_end_request+0x1/0x2, CPU#1: fio/123",
    "[   12.345678] WARNING: possible circular locking dependency detected",
    "[   12.345678] WARNING: possible recursive locking detected",
    "[   12.345678] INFO: possible recursive locking detected",
    "[   12.345678] WARNING: inconsistent lock state",
    "[   12.345678] WARNING: suspicious RCU usage",
    "[   12.345678] BUG: KASAN: slab-use-after-free in apple_raid_probe+0x1/0x2",
    "[   12.345678] BUG: KCSAN: data-race in a / b",
    "[   12.345678] BUG: KFENCE: out-of-bounds read in a+0x1/0x2",
    "[   12.345678] UBSAN: array-index-out-of-bounds in drivers/scsi/sd.c:1:2",
    "[   12.345678] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
    "[   12.345678] Call Trace:",
    "[   12.345678] rust_kernel: panicked at drivers/scsi/apple_raid/slots.rs:12:34:",
    "[   12.345678] INFO: task modprobe:123 blocked for more than 120 seconds.",
    "[   12.345678] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [fio:123]",
    "[   12.345678] rcu: INFO: rcu_preempt self-detected stall on CPU",
    "[   12.345678] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
    "[   12.345678] DMA-API: apple_raid 0000:01:00.0: device driver frees DMA memory with wrong function",
    "[   12.345678] DMA-API: exceeded 7 overlapping mappings of cacheline 0x0000000000000001",
    "[   12.345678] DMA-API: debugging out of memory - disabling",
    "[   12.345678] DMA-API: debugging disabled on kernel command line",
    "[   12.345678] refcount_t: underflow; use-after-free.",
    "[   12.345678] BUG: scheduling while atomic: modprobe/123/0x00000002",
    "[   12.345678] BUG: sleeping function called from invalid context at mm/slab.h:1",
    "[   12.345678] Unable to handle kernel paging request at virtual address 0",
    "[   12.345678] kernel BUG at lib/list_debug.c:1!",
    "[   12.345678] BUG kmalloc-64 (Not tainted): Poison overwritten",
    "[   12.345678] list_del corruption. prev->next should be a, but was b",
    "[   12.345678]     not ok 3 splits_any_list",
    "<4>[   12.345678] Kernel panic - not syncing: sysrq triggered crash\r",
];

/// Lines of healthy kernels that look alike.
const INNOCENT: &[&str] = &[
    "[    0.000000] Linux version 7.3.4+deb13-amd64 (debian-kernel@lists.debian.org)",
    "[    0.000000] Command line: console=ttyS0 oops=panic panic_on_warn=0",
    "[    0.100000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!",
    "[    0.100000] Speculative Store Bypass: Vulnerable",
    "[    0.100000] ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0], AE_NOT_FOUND",
    "[    0.100000] [Firmware Bug]: TSC not synchronous to P0",
    "[    0.100000] rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.",
    "[    0.100000] rcu: Hierarchical RCU implementation.",
    "[    0.100000] calibrate_delay_direct() dropping max bogoMips estimate 2 = 15853604",
    "[    0.100000] DMA-API: preallocated 65536 debug entries",
    "[    0.100000] DMA-API: debugging enabled by kernel config",
    "[    0.100000] kmemleak: Kernel memory leak detector initialized (mem pool available: 15679)",
    "[    0.100000] kasan: KernelAddressSanitizer initialized (generic)",
    "[    0.100000] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar",
    "[    0.100000] Running RCU self tests",
    "[    0.100000] kfence: initialized - using 2097152 bytes for 255 objects",
    "[    0.100000] SMP alternatives: Using kCFI",
    "[    0.100000] apple_raid: loading out-of-tree module taints kernel.",
    "[    1.100000] sd 0:0:0:0: [sda] tag#0 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=0s",
    "[    1.100000] sd 0:0:0:0: [sda] Attached SCSI disk",
    "[    1.100000] I/O error, dev sda, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
    "[    1.100000] traps: sh[123] general protection fault ip:401000 sp:7ffc00000000 error:0 in sh[401000+1000]",
    "[    1.100000] sh[123]: segfault at 0 ip 0000000000401000 sp 00007ffc00000000 error 4",
    "[    1.100000] workqueue: events_long hogged CPU for >10000us 4 times, consider switching to WQ_UNBOUND",
    "[    1.100000] INFO: task names may be longer than before",
];

#[test]
fn each_kind_is_found() {
    for line in GUILTY {
        let found = reports(line);
        assert_eq!(found.len(), 1, "{line}");
        assert!(found[0].text.contains(line.trim_end()), "{line}");
    }
}

#[test]
fn a_healthy_log_is_left_alone() {
    for line in INNOCENT {
        assert_eq!(reports(line), [], "{line}");
    }
    assert_eq!(reports(&INNOCENT.join("\r\n")), []);
}

#[test]
fn a_report_comes_with_its_surroundings() {
    let mut log: Vec<String> = INNOCENT.iter().map(|line| (*line).to_owned()).collect();
    let oops = [
        "[    2.000000] apple_raid 0000:01:00.0: one line before",
        "[    2.000001] BUG: kernel NULL pointer dereference, address: 0000000000000008",
        "[    2.000002] #PF: supervisor read access in kernel mode",
        "[    2.000003] Oops: Oops: 0000 [#1] SMP NOPTI",
        "[    2.000004] RIP: 0010:apple_raid_probe+0x12/0x34 [apple_raid]",
        "[    2.000005] Call Trace:",
        "[    2.000006]  <TASK>",
        "[    2.000007]  </TASK>",
        "[    2.000008] ---[ end trace 0000000000000000 ]---",
    ];
    log.extend(oops.map(str::to_owned));
    log.push("[    3.000000] after the oops".to_owned());
    let found = reports(&log.join("\n"));
    assert_eq!(found.len(), 1);
    assert!(found[0].text.contains("one line before"));
    assert!(
        found[0]
            .text
            .ends_with("---[ end trace 0000000000000000 ]---")
    );
    assert!(found[0].sign.starts_with("BUG: kernel NULL"));
}

#[test]
fn two_reports_stay_two() {
    let warning = "[    2.0] WARNING: CPU: 0 PID: 1 at a.c:1 a+0x1/0x2\n[    2.1] Call Trace:\n[    2.2] ---[ end trace 0000000000000000 ]---\n";
    assert_eq!(reports(&warning.repeat(2)).len(), 2);
}

#[test]
fn a_panic_is_told_from_an_oops() {
    assert!(has_panic(
        "[    1.0] Kernel panic - not syncing: Fatal exception\r\n"
    ));
    assert!(!has_panic("[    1.0] Oops: Oops: 0000 [#1] SMP NOPTI\n"));
}

/// What the kernel says of a failure that was asked for.
const INJECTED: &str = "\
[  100.000001] FAULT_INJECTION: forcing a failure.
               name failslab, interval 1, probability 0, space 0, times 0
[  100.000002] CPU: 1 UID: 0 PID: 123 Comm: failnth Not tainted 7.3.4-debug #1 PREEMPT
[  100.000003] Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS
[  100.000004] Call Trace:
[  100.000005]  <TASK>
[  100.000006]  ? show_regs+0x1/0x2
[  100.000007]  dump_stack_lvl+0x6f/0xb0
[  100.000007]  dump_stack+0x10/0x12
[  100.000008]  should_fail_ex+0x4dc/0x5b0
[  100.000009]  should_failslab+0xc2/0x100
[  100.000010]  scsi_host_alloc+0x4e/0x1200 [scsi_mod]
[  100.000011]  ? __pfx_vfs_write+0x10/0x10
[  100.000012]  vfs_write+0x1/0x2
[  100.000013] RIP: 0033:0x7f0000000000
[  100.000014]  </TASK>
";

const WARNING: &str = "\
[  101.0] WARNING: CPU: 0 PID: 1 at a.c:1 a+0x1/0x2
[  101.1] Call Trace:
[  101.2]  <TASK>
[  101.3]  dump_stack_lvl+0x6f/0xb0
[  101.4]  a+0x1/0x2
[  101.5]  </TASK>
[  101.6] ---[ end trace 0000000000000000 ]---
";

const KASAN: &str = "[  102.0] BUG: KASAN: slab-use-after-free in a+0x1/0x2";

#[test]
fn a_failure_that_was_asked_for_is_none() {
    assert_eq!(reports(INJECTED), []);
    assert_eq!(reports(&INJECTED.repeat(3)), []);
    let chain = [
        "should_failslab+0xc2/0x100",
        "scsi_host_alloc+0x4e/0x1200 [scsi_mod]",
        "vfs_write+0x1/0x2",
    ];
    let failures = injection::failures(&INJECTED.repeat(2));
    assert_eq!(failures, [chain, chain]);
}

#[test]
fn two_processors_fail_at_once() {
    let [header, trace] = [0..4, 4..16].map(|part| {
        let lines: Vec<&str> = INJECTED.lines().collect();
        lines[part].join("\n") + "\n"
    });
    let log = header.repeat(2) + &trace.repeat(2);
    assert_eq!(reports(&log), []);
    assert_eq!(injection::failures(&log).len(), 2);
}

#[test]
fn what_comes_behind_a_failure_is_still_seen() {
    for report in [WARNING, KASAN] {
        let found = reports(&format!("{INJECTED}{report}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(report.contains(&found[0].sign), "{found:?}");
    }
    // Whose trace this is nobody knows, but it is not the failure's.
    let trace = "[  103.0] Call Trace:\n[  103.1]  <TASK>\n[  103.2]  schedule+0x1/0x2\n";
    assert_eq!(reports(&format!("{INJECTED}{trace}")).len(), 1);
    assert_eq!(
        injection::failures(&format!("{INJECTED}{WARNING}")).len(),
        1
    );
}

#[test]
fn what_comes_within_a_failure_is_still_seen() {
    let lines: Vec<&str> = INJECTED.lines().collect();
    for at in 1..lines.len() {
        let (before, behind) = (lines[..at].join("\n"), lines[at..].join("\n"));
        let found = reports(&format!("{before}\n{KASAN}\n{behind}"));
        assert_eq!(found.len(), 1, "{at}: {found:?}");
        assert!(found[0].sign.contains("KASAN"), "{at}: {found:?}");
        let found = reports(&format!("{before}\n{WARNING}{behind}"));
        let warned = found.iter().any(|report| report.text.contains("WARNING: "));
        assert!(warned, "{at}: {found:?}");
        let innocent = "[  104.0] sd 0:0:0:0: [sda] Attached SCSI disk";
        assert_eq!(reports(&format!("{before}\n{innocent}\n{behind}")), []);
    }
}

#[test]
fn a_report_during_a_failure_is_one() {
    // A warning whose own trace leads through the injection is a warning.
    let log = INJECTED.replace(
        "FAULT_INJECTION: forcing a failure.",
        "WARNING: a.c:1 at a+0x1/0x2",
    );
    assert_eq!(reports(&log).len(), 1);
}

#[test]
fn a_shortage_is_left_out_when_asked_to() {
    let log = WARNING
        .replace(
            "WARNING: CPU: 0 PID: 1 at a.c:1 a+0x1/0x2",
            "vmalloc error: size 4096",
        )
        .replace("  a+", "  warn_alloc+");
    let log = log.replace("---[ end trace 0000000000000000 ]---", "");
    assert_eq!(reports(&log).len(), 1);
    assert_eq!(reports(&injection::without_shortage(&log)), []);
    for report in [WARNING, KASAN] {
        let found = reports(&injection::without_shortage(&format!("{log}{report}")));
        assert_eq!(found.len(), 1, "{found:?}");
    }
    assert_eq!(reports(&injection::without_shortage(WARNING)).len(), 1);
}
