// SPDX-License-Identifier: GPL-2.0

//! The demo's steps, in the order in which they are taken.

use super::disks::Disk;
use super::step::Step;
use super::{FIRST_BYTES, SECOND_BYTES};

/// What is copied to the disk, below the guest's /usr: some hundred small files, and
/// one that is large.
const SOURCES: &str = "include/x86_64-linux-gnu bin/qemu-system-x86_64";
/// Where the file system is mounted.
const MOUNTED: &str = "/mnt/disk";
/// How much is written at the very end of the second volume.
const PATTERN: u64 = 1 << 20;

/// Who and what is there.
pub fn machine() -> Step {
    Step::new(
        "The kernel, as Debian built it, and the card",
        "uname -srv; lspci -nnk -d ::0104",
    )
    .expect("Kernel driver in use: apple_raid")
}

/// What the kernel had to say about driver and disks.
pub fn driver_log() -> Step {
    Step::new(
        "The driver's log, and the disks'",
        "dmesg | grep -E 'apple_raid|scsi (host)?[0-9]|sd [0-9]'",
    )
    .expect("Apple RAID Card")
    .expect("Attached SCSI disk")
}

/// The disks; the output goes to [`Disk::find`].
pub fn disks() -> Step {
    Step::new("The disks", "lsscsi -g")
}

/// What the disks say of themselves.
pub fn identity([first, second]: &[Disk; 2]) -> Vec<Step> {
    let (sg0, sg1) = (&first.sg, &second.sg);
    let capacity = |title, command: String, bytes: u64| {
        Step::new(title, command).expect(format!("Device size: {bytes} bytes"))
    };
    vec![
        Step::new("INQUIRY", format!("sg_inq {sg0}")).expect("Vendor identification: Apple"),
        Step::new("Its designators", format!("sg_vpd -p di {sg0}")).expect("designator type: NAA"),
        Step::new("REPORT LUNS", format!("sg_luns {sg0}")).expect("2 lun entries"),
        capacity(
            "READ CAPACITY(16), LUN 0",
            format!("sg_readcap -l {sg0}"),
            FIRST_BYTES,
        ),
        capacity(
            "READ CAPACITY(10), LUN 0",
            format!("sg_readcap {sg0}"),
            FIRST_BYTES,
        ),
        capacity(
            "READ CAPACITY(16), LUN 1",
            format!("sg_readcap -l {sg1}"),
            SECOND_BYTES,
        ),
        capacity(
            "READ CAPACITY(10), LUN 1",
            format!("sg_readcap {sg1}"),
            SECOND_BYTES,
        ),
        health("Health, by the block device", &first.sd),
        health("Health, by the generic device", sg0),
    ]
}

fn health(title: &'static str, node: &str) -> Step {
    Step::new(title, format!("smartctl -i -H {node}")).expect("SMART Health Status: OK")
}

/// A file system, with files in it.
pub fn fill(disks: &[Disk; 2]) -> Vec<Step> {
    let sd = &disks[0].sd;
    vec![
        Step::new(
            "A partition table",
            format!("printf 'label: gpt\\n,,L\\n' | sfdisk -q {sd} && sfdisk -l {sd}"),
        )
        .expect("Linux filesystem"),
        Step::new("A file system", format!("mkfs.ext4 -q {sd}1")),
        mount(disks, "rw"),
        Step::new(
            "A tree of files goes to the disk",
            format!("cd /usr && cp -r --parents {SOURCES} {MOUNTED} && df -h {MOUNTED}"),
        ),
    ]
}

/// Mounts the file system.
pub fn mount([first, _]: &[Disk; 2], how: &str) -> Step {
    Step::new(
        "It is mounted",
        format!(
            "mkdir -p {MOUNTED} && mount -o {how} {}1 {MOUNTED} && findmnt -n {MOUNTED}",
            first.sd
        ),
    )
    .expect("ext4")
}

/// The hashes of the files that were copied, before they were.
pub fn source_sums() -> Step {
    sums("The hashes of the files, as they are in /usr", "/usr")
}

/// The hashes of the files on the disk.
pub fn disk_sums() -> Step {
    sums("The hashes of the files on the disk", MOUNTED)
}

fn sums(title: &'static str, folder: &str) -> Step {
    // sha256sum would not be run at all for a `find` that fails.
    let command = format!(
        "cd {folder} && find {SOURCES} -type f >/tmp/files && LC_ALL=C sort /tmp/files | xargs -d '\\n' sha256sum"
    );
    Step::new(title, command).lines(2)
}

/// All is written, and the file system let go.
pub fn unmount() -> Step {
    Step::new("It is unmounted", format!("sync && umount {MOUNTED}"))
}

/// Writes the end of the second volume, beyond what 10-byte commands reach.
pub fn write_end([_, second]: &[Disk; 2]) -> Step {
    let (sd, seek) = (&second.sd, SECOND_BYTES / PATTERN - 1);
    Step::new(
        "The last MiB of the 20 TiB is written",
        format!(
            "head -c {PATTERN} /dev/urandom >/tmp/end && \
             dd if=/tmp/end of={sd} bs=1M seek={seek} oflag=direct conv=fsync status=none && \
             sha256sum </tmp/end"
        ),
    )
}

/// Reads it back; the hash is the same.
pub fn read_end([_, second]: &[Disk; 2]) -> Step {
    let (sd, skip) = (&second.sd, SECOND_BYTES / PATTERN - 1);
    Step::new(
        "The last MiB of the 20 TiB is read",
        format!(
            "dd if={sd} of=/tmp/end bs=1M skip={skip} iflag=direct status=none && sha256sum </tmp/end"
        ),
    )
}

/// The file system is whole.
pub fn check([first, _]: &[Disk; 2]) -> Step {
    Step::new(
        "The file system is whole",
        format!("e2fsck -fn {}1", first.sd),
    )
}

/// The driver goes, and takes the disks with it.
pub fn unload() -> Step {
    Step::new(
        "The driver goes, and the disks with it",
        "rmmod apple_raid && lsmod | head -n 3 && ! lsscsi | grep Apple",
    )
}

/// The driver comes back.
pub fn load() -> Step {
    Step::new(
        "The driver comes back",
        "modprobe apple_raid && dmesg | grep 'apple_raid' | tail -n 2",
    )
    .expect("scsi host")
}
