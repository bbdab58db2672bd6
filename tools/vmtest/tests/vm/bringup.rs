// SPDX-License-Identifier: GPL-2.0

//! The driver's handshake, as the card saw it, against macOS's (O).

use crate::common::{ends_clean, ok, two_volumes};
use vmtest::{Flavour, Vm};

/// What macOS does, in its order; a register that is polled stands here once.
const MACOS: &[&str] = &[
    "read 0xb4",
    "read 0xbc",
    "write 0x5d=0",
    "write 0xe4",
    "write 0xe8",
    "write 0xec",
    "write 0xf4",
    "write 0xf8",
    "write 0xfc",
    "write 0x100",
    "write 0x104",
    "write 0x114",
    "write 0x118",
    "write 0x11c",
    "write 0x120",
    "write 0x12c",
    "write 0x130",
    "write 0x134",
    "write 0x144",
    "write 0x148",
    "read 0xc4",
    "read 0xc8",
    "read 0x2c",
    "write 0x2c+1",
    "read 0x5d",
    "write 0x62=0",
    "write 0x64=0",
    "config-read 0x22c",
    "write 0x61=0",
];

fn field<'a>(line: &'a str, name: &str) -> &'a str {
    line.split(' ')
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("no {name} in {line:?}"))
}

fn value(line: &str) -> u64 {
    u64::from_str_radix(field(line, "value").trim_start_matches("0x"), 16).unwrap()
}

/// An access in the words of [`MACOS`]; `None` if it is none of the card's.
fn access(line: &str, doorbell: &mut u64) -> Option<String> {
    let kind = line.split(' ').nth(1)?;
    let off = match kind {
        "read" | "write" | "config-read" => field(line, "off"),
        _ => return None,
    };
    Some(match (kind, off) {
        ("read", "0x2c") => {
            *doorbell = value(line);
            "read 0x2c".into()
        }
        ("write", "0x2c") => format!("write 0x2c+{}", value(line) - *doorbell),
        ("write", "0x5d" | "0x61" | "0x62" | "0x64") => {
            format!("write {off}={}", value(line))
        }
        _ => format!("{kind} {off}"),
    })
}

#[test]
fn the_handshake_is_that_of_macos() {
    let vm = two_volumes().no_load().kunit().trace().boot().unwrap();
    let trace = vm.twin().trace();
    let before = trace.mark();
    vm.load_driver().unwrap();

    let mut doorbell = 0;
    let mut seen: Vec<String> = Vec::new();
    for line in trace.since(before) {
        let Some(access) = access(&line, &mut doorbell) else {
            continue;
        };
        // The kernel's own accesses to configuration space are not the driver's.
        let foreign = access.starts_with("config-read") && access != "config-read 0x22c";
        if foreign || seen.last() == Some(&access) && access == "read 0x5d" {
            continue;
        }
        seen.push(access);
    }
    // There are two: one for the checks, whose interrupts stay masked, and one to begin.
    let begins: Vec<usize> = (0..seen.len())
        .filter(|n| seen[*n] == "write 0x5d=0")
        .collect();
    let [_, second] = begins[..] else {
        panic!("{seen:#?}");
    };
    let ready = MACOS.iter().position(|step| *step == "read 0x5d").unwrap();
    assert_eq!(seen[..=ready], MACOS[..=ready]);
    assert!(!seen[..second].contains(&"write 0x61=0".to_owned()));
    let rest = &MACOS[2..];
    assert_eq!(seen[second..][..rest.len()], *rest);
    if vm.flavour() == Flavour::Debug {
        kunit_suites_ran(&vm);
    }
    ends_clean(vm);
}

/// The driver's KUnit suites ran when it was loaded. (One that fails is found in the log of any
/// test.)
fn kunit_suites_ran(vm: &Vm) {
    let suites = "grep -h '^ok ' /sys/kernel/debug/kunit/apple_raid*/results";
    let passed = ok(vm, suites);
    let files = std::fs::read_dir("/src/kunit/apple_raid").unwrap();
    let there_are = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .filter(|text| text.contains("kunit_tests("))
        .count();
    assert_eq!(passed.lines().count(), there_are, "{passed}");
}
