// SPDX-License-Identifier: GPL-2.0

//! The driver for QEMU's pvscsi, which is the abstraction's other user: what was written is read,
//! errors are told, what hangs is aborted, and it comes and goes.

use std::time::{Duration, Instant};

use crate::common::{disks_appear, ends_clean, ok, ok_within, succeeded, wait_for};
use vmtest::{Builder, Hba, Job, Vm, VolumeSpec};

mod hotplug;

const DEVICE: &str = "/sys/bus/pci/devices/$(lspci -D -d 15ad:07c0 | cut -d' ' -f1)";

/// A file that tells fio to stop.
const STOP: &str = "/run/stop-fio";

fn two_disks() -> Builder {
    Vm::builder()
        .hba(Hba::Pvscsi)
        .memory(1 << 30)
        .volume(VolumeSpec::Size(256 << 20))
        .volume(VolumeSpec::Size(1 << 30))
}

fn boot() -> Vm {
    let vm = two_disks().boot().unwrap();
    disks_appear(&vm);
    vm
}

/// How many commands a disk has ended.
fn ended(vm: &Vm, disk: &str) -> u64 {
    let text = ok(vm, &format!("cat /sys/block/{disk}/device/iodone_cnt"));
    u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).unwrap()
}

/// Waits until a disk has ended so many commands more.
fn goes_on(vm: &Vm, disk: &str, job: &Job<'_>) {
    let goal = ended(vm, disk) + 50;
    let end = Instant::now() + vm.within(30);
    while ended(vm, disk) < goal {
        assert!(!job.is_done(), "the load has ended");
        assert!(Instant::now() < end, "{disk} stands still");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Writes to a disk, again and again, and looks whether it reads the same.
fn load<'vm>(vm: &'vm Vm, disk: &str) -> Job<'vm> {
    let job = vm
        .spawn(&format!(
            "rm -f {STOP}; exec fio --name=load --filename=/dev/{disk} --direct=1 \
             --ioengine=libaio --rw=randrw --bsrange=4k-64k --iodepth=16 --size=32m --time_based \
             --runtime=1000 --verify=crc32c --verify_fatal=1 --verify_backlog=256 \
             --output-format=terse --allow_file_create=0 --trigger-file={STOP}"
        ))
        .unwrap();
    goes_on(vm, disk, &job);
    job
}

/// Ends the load, which has to have seen no error.
fn end(vm: &Vm, job: Job<'_>) {
    assert!(!job.is_done(), "the load has ended");
    ok(vm, &format!("touch {STOP}"));
    succeeded(job.wait(vm.within(60)).unwrap(), "the load");
}

/// What the guest's kernel logged of the driver.
fn log(vm: &Vm) -> String {
    ok(
        vm,
        "dmesg | grep -E 'pvscsi|sd [0-9]|I/O error' | sed 's/^\\[[^]]*\\] //'",
    )
}

/// Nothing was noticed that is not true of a device which is as it should be.
fn is_trusted(log: &str) {
    for word in ["none of", "makes no sense", "I/O error", "offline"] {
        assert!(!log.contains(word), "{log}");
    }
}

#[test]
fn integrity() {
    let vm = boot();
    let warnings = "dmesg --level=emerg,alert,crit,err,warn | wc -l";
    let before = ok(&vm, warnings);
    // One command at a time, more than a list of segments, all tags in use.
    for (depth, sizes, megabytes) in [(1, "512-8k", 2), (8, "4k-1m", 64), (160, "4k-4k", 16)] {
        let out = ok_within(
            &vm,
            400,
            &format!(
                "fio --output-format=json --direct=1 --ioengine=libaio --rw=randrw \
                 --bsrange={sizes} --iodepth={depth} --size={megabytes}m --verify=crc32c \
                 --verify_fatal=1 --group_reporting --allow_file_create=0 \
                 --name=a --filename=/dev/sda --name=b --filename=/dev/sdb >/tmp/fio.json && \
                 python3 -c \"import json; j = json.load(open('/tmp/fio.json'))['jobs']; \
                 print(*[sum(x[w]['total_ios'] for x in j) for w in ('read', 'write')], \
                 sum(x['error'] for x in j))\""
            ),
        );
        eprintln!("fio, depth {depth}, {sizes}: reads, writes, errors: {out}");
        assert!(out.trim().ends_with(" 0"), "{out}");
    }
    ok_within(
        &vm,
        120,
        "set -e; mkfs.ext4 -q /dev/sdb; mount /dev/sdb /mnt; cp -r /usr/include /mnt; cd /mnt; \
         seq 3000000 >seq; find . -type f | xargs sha256sum >/tmp/sums; cd /; umount /mnt; \
         echo 3 >/proc/sys/vm/drop_caches; mount /dev/sdb /mnt; cd /mnt; \
         sha256sum --quiet -c /tmp/sums; cd /; umount /mnt; fsck.ext4 -fn /dev/sdb",
    );
    assert_eq!(ok(&vm, warnings), before, "{}", log(&vm));
    let interrupts = ok(&vm, "grep pvscsi_rust /proc/interrupts");
    assert!(interrupts.contains("MSI"), "{interrupts}");
    is_trusted(&log(&vm));
    ends_clean(vm);
}

#[test]
fn tells_what_a_disk_says() {
    let vm = boot();
    assert!(ok(&vm, "sg_inq /dev/sg1").contains("QEMU HARDDISK"));
    let capacity = ok(&vm, "sg_readcap /dev/sg1");
    assert!(
        capacity.contains("Number of logical blocks=2097152"),
        "{capacity}"
    );
    // Answers that are shorter than the buffer.
    let pages = ok(&vm, "sg_vpd -p sv /dev/sg1");
    assert!(pages.contains("Device identification"), "{pages}");
    assert!(ok(&vm, "sg_modes -a /dev/sg1").contains("Caching"));

    let sense = |cdb: &str, what: &str| {
        let output = vm
            .exec(&format!("sg_raw -vv -r 512 /dev/sg1 {cdb}"))
            .unwrap();
        let said = output.stderr_text();
        assert_ne!(output.status, 0, "{said}");
        assert!(
            said.contains("Illegal Request") && said.contains(what),
            "{said}"
        );
        eprintln!(
            "{cdb}: {}",
            said.lines()
                .filter(|line| line.contains("sense:"))
                .collect::<String>()
        );
    };
    sense(
        "ff 00 00 00 00 00 00 00 00 00",
        "Invalid command operation code",
    );
    sense(
        "28 00 ff ff ff f0 00 00 01 00",
        "Logical block address out of range",
    );
    // No such target, and more than there can be.
    assert_eq!(ok(&vm, "lsscsi | wc -l"), "2\n");
    is_trusted(&log(&vm));
    ends_clean(vm);
}

/// A read that is held back for longer than it may last. (QEMU aborts a command by waiting for it,
/// and has the guest wait meanwhile. It holds back for as long as was the rule when it began to.)
#[test]
fn aborts_a_stuck_command() {
    let vm = boot();
    ok(&vm, "echo 2 >/sys/block/sdb/device/timeout");
    let read = "dd if=/dev/sdb of=/dev/null bs=64k count=1 iflag=direct status=none";
    vm.limit_disk(1, 16 << 10).unwrap();
    ok(&vm, read);
    let job = vm.spawn(read).unwrap();
    wait_for(
        &vm,
        "read reads writes </sys/block/sdb/inflight && [ $reads = 1 ]",
    );
    vm.limit_disk(1, 0).unwrap();
    succeeded(job.wait(vm.within(60)).unwrap(), read);

    let log = log(&vm);
    eprintln!("{log}");
    assert_eq!(log.matches("target 1: abort of tag").count(), 1, "{log}");
    assert!(!log.contains("Err("), "{log}");
    assert!(!log.contains(": reset"), "{log}");
    let counts = ok(&vm, "cd /sys/block/sdb/device; cat iotmo_cnt state");
    assert_eq!(counts, "0x1\nrunning\n");
    is_trusted(&log);
    ends_clean(vm);
}

#[test]
fn resets_under_load() {
    let vm = boot();
    let job = load(&vm, "sda");
    for _ in 0..5 {
        for what in ["device", "host"] {
            ok_within(&vm, 60, &format!("sg_reset --{what} --no-esc /dev/sg0"));
            goes_on(&vm, "sda", &job);
        }
    }
    // The abstraction knows no bus.
    assert_ne!(
        vm.exec("sg_reset --bus --no-esc /dev/sg0").unwrap().status,
        0
    );
    end(&vm, job);
    let log = log(&vm);
    assert_eq!(log.matches("target 0: reset: Ok(())").count(), 5, "{log}");
    assert_eq!(
        log.matches("reset of the adapter: Ok(())").count(),
        5,
        "{log}"
    );
    is_trusted(&log);
    ends_clean(vm);
}

#[test]
fn sleeps_under_load() {
    let vm = boot();
    ok(
        &vm,
        "echo 1 >/sys/module/suspend/parameters/pm_test_delay; echo devices >/sys/power/pm_test",
    );
    let job = load(&vm, "sda");
    for state in ["freeze", "mem", "freeze"] {
        ok_within(&vm, 60, &format!("echo {state} >/sys/power/state"));
        goes_on(&vm, "sda", &job);
    }
    for _ in 0..2 {
        ok_within(&vm, 60, &format!("echo 1 >{DEVICE}/reset"));
        goes_on(&vm, "sda", &job);
    }
    end(&vm, job);
    let log = log(&vm);
    assert_eq!(
        log.matches("reset of the adapter: Ok(())").count(),
        5,
        "{log}"
    );
    is_trusted(&log);
    ends_clean(vm);
}
