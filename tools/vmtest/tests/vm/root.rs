// SPDX-License-Identifier: GPL-2.0

//! A Debian whose root file system lies on a volume of the card, and the power cuts that it
//! survives.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::common::{ends_clean, ok, ok_within};
use vmtest::{Vm, VolumeSpec, root_image};

/// Writes files, each of which is reported to the host once it is on the disk for good.
const WRITER: &str = r#"
mkdir -p /var/work && cd /var/work
n=$(ls | wc -l)
while :; do
    n=$((n + 1))
    dd if=/dev/urandom of=.new bs=1k count=$((n % 200 + 1)) conv=fsync status=none
    sum=$(sha256sum <.new)
    mv .new $n
    sync .
    echo "$n ${sum%% *}" >>/run/vm/written
    # This need not survive.
    head -c 100k /dev/zero >scratch.$((n % 7))
done
"#;

fn boot(disk: &Path) -> Vm {
    Vm::builder()
        .memory(1 << 30)
        .volume(VolumeSpec::File(disk.into()))
        .root_on_card()
        .boot()
        .unwrap()
}

fn e2fsck(disk: &Path, how: &[&str]) -> (i32, String) {
    let output = Command::new("/usr/sbin/e2fsck")
        .args(how)
        .arg(disk)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap(), text)
}

/// What was reported to be on the disk for good. The last line may lack a part.
fn written(vm: &Vm) -> Vec<(String, String)> {
    let text = fs::read_to_string(vm.run_folder().join("exchange/written")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, sum)| (name.to_owned(), sum.to_owned()))
        .collect()
}

#[test]
#[ignore = "left to make check-all"]
fn a_root_on_the_card_survives_power_cuts() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::copy(root_image().unwrap(), &disk).unwrap();

    let mut expected = Vec::new();
    for _ in 0..2 {
        let vm = boot(&disk);
        let root = ok(
            &vm,
            "findmnt -n -o SOURCE,FSTYPE,OPTIONS / && cat /etc/debian_version",
        );
        assert!(root.starts_with("/dev/sda ext4 rw"), "{root}");
        verify(&vm, &expected);
        let writer = vm.spawn(WRITER).unwrap();
        thread::sleep(vm.within(5));
        assert!(!writer.is_done(), "the writer has ended");
        // At a moment at which there is something to lose.
        let mut patience = 10_000;
        while vm.twin().target().dirty_bytes() == 0 {
            patience -= 1;
            assert!(patience > 0, "the card's cache is never in use");
            thread::sleep(Duration::from_millis(1));
        }
        vm.twin().power_cut();
        drop(writer);
        let before = expected.len();
        expected.extend(written(&vm));
        assert!(expected.len() > before + 5, "{} files", expected.len());
        drop(vm);

        // Nothing is to be mended but what the journal tells. The guest replays it for itself.
        let copy = folder.path().join("copy");
        fs::copy(&disk, &copy).unwrap();
        let (status, said) = e2fsck(&copy, &["-E", "journal_only", "-y"]);
        assert!(status <= 1, "{said}");
        let (status, said) = e2fsck(&copy, &["-f", "-n"]);
        assert_eq!(status, 0, "{said}");
    }

    let vm = boot(&disk);
    verify(&vm, &expected);
    ends_clean(vm);
}

fn verify(vm: &Vm, expected: &[(String, String)]) {
    if expected.is_empty() {
        return;
    }
    let list: Vec<String> = expected
        .iter()
        .map(|(name, sum)| format!("{sum}  /var/work/{name}\n"))
        .collect();
    fs::write(vm.run_folder().join("exchange/list"), list.concat()).unwrap();
    ok_within(vm, 60, "sha256sum --quiet -c /run/vm/list");
}
