// SPDX-License-Identifier: GPL-2.0

//! No memory: each allocation of probe, scan, I/O and unbind fails once, then any of them at
//! random. Every failure is a clean error, nothing leaks, and afterwards all is well.
//!
//! The program `failnth` of tools/guest does the work in the guest, and says what is clean. One
//! guest does it all: the allocations that fail one by one come first, those of the task that asks.
//! What other tasks do (the disk driver's probing, completion, error handling) meets the random
//! failures, which are confined to what the modules of the SCSI stack call.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::common::{ends_clean, ok, ok_within};
use vmtest::detector::injection::{self, CallChain};
use vmtest::{Flavour, Iommu, Report, Vm, VolumeSpec};

/// How many different points of failure there have to be: allocations of a step, and call chains
/// that only the random failures met.
const POINTS: usize = 500;

/// How many call chains have to be among them.
const CHAINS: usize = 300;

/// What is done while one allocation after the other fails, and from which order on pages do.
/// Pages come late: with an IOMMU, DMA memory is made of whatever pages there are, so that
/// hundreds of failures have no effect but to make the rest slow.
const ONE_BY_ONE: &[(&str, u32)] = &[
    (
        "each unbind bind delete scan detach attach rescan cache",
        NEVER,
    ),
    ("io", 0),
];

/// More than the order of any allocation.
const NEVER: u32 = 32;

/// Makes every allocation one that can fail, also those that would wait for memory, but for those
/// of the debugging aids, which would only turn themselves off: kmemleak, the debugging of objects,
/// and that of DMA, which keeps its entries in a radix tree.
const SET_UP: &str = "cd /sys/kernel/debug && \
    for a in failslab fail_page_alloc; do \
    echo N >$a/ignore-gfp-wait && echo 2 >$a/verbose && echo -1 >$a/times; done && \
    for cache in /sys/kernel/slab/*; do case ${cache##*/} in \
    kmemleak*|debug_objects*|radix_tree_node) ;; *) echo 1 >$cache/failslab;; esac; done && \
    echo Y >failslab/cache-filter";

/// What must not fail in functions: from the first one to the end of the last one.
const REJECTED: [(&str, [&str; 2]); 2] = [
    // A bug of Linux 7.3: when its last allocation fails, this frees the one before, but does not
    // forget it. scsi_alloc_sdev() then frees it once more (WARNING in free_percpu()).
    ("failslab", ["sbitmap_init_node", "sbitmap_init_node"]),
    // The slab allocator's pages: failslab has its allocations fail, and at places that do not
    // depend on how many objects are left.
    ("fail_page_alloc", ["___slab_alloc", "refill_objects"]),
];

/// Warnings that are mistakes of Linux 7.3 when memory is short, and none of the driver: where, and
/// on whose behalf.
const OF_THE_KERNEL: &[(&str, &str)] = &[
    // /proc/irq/N is removed file by file, whether each could be made or not.
    (" at remove_proc_entry+0x", " unregister_irq_proc+0x"),
];

fn is_of_the_kernel(report: &Report) -> bool {
    let text = &report.text;
    report.sign.starts_with("WARNING: ")
        && text.matches("WARNING: ").count() == 1
        && !text.contains("BUG: ")
        && OF_THE_KERNEL
            .iter()
            .any(|(at, behalf)| report.sign.contains(at) && text.contains(behalf))
}

/// What fails at random is called by a module: all of them are the SCSI stack's.
const STORM: &str = "cd /sys/kernel/debug && \
    start=$(cat /sys/module/*/sections/.text | sort | head -n 1) && \
    for a in failslab fail_page_alloc; do \
    echo $start >$a/require-start && echo 0xffffffffff000000 >$a/require-end; done";

const VERIFY: &str = "fio --name=verify --filename=/dev/sda --direct=1 --ioengine=libaio \
    --rw=randrw --bs=16k --iodepth=16 --size=8m --verify=crc32c --verify_fatal=1 \
    --output-format=terse --allow_file_create=0";

/// Has nothing fail that [`REJECTED`] names.
fn reject(vm: &Vm) {
    let names: Vec<&str> = REJECTED.iter().flat_map(|(_, names)| *names).collect();
    // With the function behind each.
    let command = format!("grep -wEA1 '({})$' /proc/kallsyms", names.join("|"));
    let text = ok(vm, &command);
    let symbols: Vec<(u64, &str)> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            Some((address, words.nth(1)?))
        })
        .collect();
    for (attribute, names) in REJECTED {
        let [first, last] = names.map(|name| {
            let at = symbols.iter().position(|symbol| symbol.1 == name);
            at.unwrap_or_else(|| panic!("no {name} in {text}"))
        });
        let (begin, end) = (symbols[first].0, symbols[last + 1].0);
        assert!(begin < end && end - begin < 1 << 16, "{names:?}");
        let range = format!("echo {begin:#x} >reject-start && echo {end:#x} >reject-end");
        ok(vm, &format!("cd /sys/kernel/debug/{attribute} && {range}"));
    }
}

/// A guest whose allocations fail, and what failed so far.
struct Pressure {
    vm: Vm,
    failnth: String,
    points: usize,
    chains: BTreeSet<CallChain>,
    reports: Vec<Report>,
    begin: Instant,
}

impl Pressure {
    fn boot() -> Self {
        let vm = Vm::builder()
            .kernel(Flavour::Debug)
            .find_leaks()
            .memory(1 << 30)
            // Mapping a buffer takes memory only where there is an IOMMU.
            .iommu(Iommu::Strict)
            .volume(VolumeSpec::Size(1 << 30))
            // For a thousand stack traces; they stay off the console. Binding does not scan: that
            // is a step of its own.
            .append("log_buf_len=16M scsi_mod.scan=async")
            .boot()
            .unwrap();
        let begin = Instant::now();
        let failnth = vm.guest_tool("failnth").unwrap();
        ok(&vm, "dmesg -n 4");
        ok(&vm, &format!("{failnth} fill"));
        ok(&vm, SET_UP);
        reject(&vm);
        Self {
            vm,
            failnth,
            points: 0,
            chains: BTreeSet::new(),
            reports: Vec::new(),
            begin,
        }
    }

    /// One allocation after the other: each is a point of its own.
    fn one_by_one(&mut self, arguments: &str) {
        self.points += self.run(arguments).0;
    }

    /// Any allocation, some of them again and again.
    fn at_random(&mut self, arguments: &str) {
        self.points += self.run(arguments).1;
    }

    /// Runs `failnth`, and looks at what the kernel says of it. Returns how many allocations
    /// failed, and how many call chains are new.
    fn run(&mut self, arguments: &str) -> (usize, usize) {
        ok(&self.vm, "dmesg --clear");
        let command = format!("{} {arguments}", self.failnth);
        print!("{}", ok_within(&self.vm, 300, &command));
        let log = ok(&self.vm, "dmesg --syslog");
        let reports = vmtest::reports(&injection::without_shortage(&log)).into_iter();
        self.reports
            .extend(reports.filter(|report| !is_of_the_kernel(report)));
        let failures = injection::failures(&log);
        let (before, count) = (self.chains.len(), failures.len());
        self.chains.extend(failures);
        let new = self.chains.len() - before;
        println!(
            "{:?}: {arguments}: {count} failures, {new} new call chains",
            self.begin.elapsed()
        );
        (count, new)
    }

    fn finish(self) {
        let vm = self.vm;
        for report in &self.reports {
            eprintln!("{}\n", report.text);
        }
        assert!(self.reports.is_empty(), "{} reports", self.reports.len());
        // What comes at power-off is seen on the console only.
        ok(&vm, "dmesg --clear; dmesg -n 7");
        ok_within(&vm, 60, VERIFY);
        ok(&vm, "rmmod apple_raid");
        assert_eq!(vm.leaks().unwrap(), "");
        ends_clean(vm);
        let (points, chains) = (self.points, self.chains.len());
        println!(
            "{:?}: {points} points, {chains} call chains",
            self.begin.elapsed()
        );
        assert!(points >= POINTS && chains >= CHAINS, "{points}, {chains}");
    }
}

#[test]
#[ignore = "left to make check-all"]
fn every_failure_is_a_clean_error() {
    let mut pressure = Pressure::boot();
    for (arguments, order) in ONE_BY_ONE {
        let min_order = "/sys/kernel/debug/fail_page_alloc/min-order";
        ok(&pressure.vm, &format!("echo {order} >{min_order}"));
        pressure.one_by_one(arguments);
    }
    ok(&pressure.vm, STORM);
    pressure.at_random("storm --rounds 8");
    pressure.finish();
}
