// SPDX-License-Identifier: GPL-2.0

//! macOS's conversation with the real card as a whole, and what a line more, less or
//! other makes of it.

use super::*;

/// All events that the article shows, in their order. It leaves out some like those before.
const MACOS: &str = include_str!("macos.trace");

/// Begins a line.
const AT: &str = "pid=1 name=b'0000:01:00.0' index=0x0";

fn read(at: u32, size: u32, data: u64) -> String {
    format!("vfio_region_read 1 {AT} addr={at:#x} size={size:#x} data={data:#x}\n")
}

fn write(at: u32, size: u32, data: u64) -> String {
    format!("vfio_region_write 1 {AT} addr={at:#x} data={data:#x} size={size:#x}\n")
}

fn state(value: u32) -> String {
    format!("vfio_pci_read_config 1 {AT} addr=0x22c len=0x4 val={value:#x}\n")
}

const MSI: &str = "vfio_msi_interrupt 1 index=0x0 addr=0xfee00000 data=0x4073\n";

/// A 32-bit word as a little-endian host sees it.
fn word(value: u32) -> u64 {
    value.swap_bytes().into()
}

fn of(text: &str) -> Outcome {
    replay(text, None).unwrap()
}

#[track_caller]
fn fits(text: &str) -> Outcome {
    let outcome = of(text);
    assert_eq!(outcome.misfit, None);
    outcome
}

/// Why the line of this number does not fit.
#[track_caller]
fn misfit(text: &str, number: usize) -> String {
    let misfit = of(text).misfit.unwrap();
    assert_eq!(misfit.number, number, "{}", misfit.why);
    assert_eq!(misfit.text, text.lines().nth(number - 1).unwrap().trim());
    misfit.why
}

/// macOS's trace and more.
fn then(more: &[String]) -> String {
    MACOS.to_owned() + &more.concat()
}

#[test]
fn the_trace_of_macos_fits_as_a_whole() {
    let outcome = fits(MACOS);
    assert_eq!(
        (outcome.writes, outcome.interrupts, outcome.unseen),
        (29, 3, 3)
    );
    // 0x5d was still 0 at first.
    assert_eq!(outcome.tolerated, BTreeMap::from([(Tolerated::Timing, 1)]));
    assert_eq!((outcome.reads, outcome.passed_over), (15, 0));
}

#[test]
fn no_read_of_the_trace_could_have_given_something_else() {
    for (n, line) in MACOS.lines().enumerate() {
        let Some((head, value)) = line.split_once("data=0x") else {
            continue;
        };
        if line.contains("region_write") || line.contains("msi") || line.contains("size=0x8") {
            continue;
        }
        let value = u64::from_str_radix(value, 16).unwrap() ^ 0x20;
        let mut lines: Vec<&str> = MACOS.lines().collect();
        let other = format!("{head}data={value:#x}");
        lines[n] = &other;
        let outcome = of(&lines.join("\n"));
        // What was first read is taken as it is.
        let first = ["addr=0x2c", "addr=0x5d"]
            .iter()
            .any(|at| line.contains(at))
            || line.contains("data=0xa0040000");
        let at = outcome.misfit.map(|misfit| misfit.number);
        assert!(first || at == Some(n + 1), "{other}: {at:?}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    // The article's excerpt never reads 0x48, so that its first value is taken as it is.
    let begin = then(&[read(0x48, 4, word(1))]);
    let more = |more: &[String]| misfit(&(begin.clone() + &more.concat()), 50);
    let is = |why: String, what: &str| assert!(why.contains(what), "{why}");
    is(more(&[MSI.to_owned()]), "none to send");
    is(more(&[read(0x48, 4, word(2))]), "expected at most 1");
    is(more(&[read(0x48, 4, word(129))]), "129 ring entries");
    is(more(&[read(0x48, 4, 0xffff_ffff)]), "ring entries");
    is(
        more(&[read(0x40, 4, word(2))]),
        "expected 1: the host alone",
    );
    is(
        more(&[read(0x58, 8, 0x0100_0100_0001_0000)]),
        "no management frame",
    );
    is(
        more(&[read(0x58, 8, 0x0100_0100_0000_0100)]),
        "no command waits",
    );
    is(more(&[read(0x5d, 1, 0)]), "since the handshake");
    is(more(&[read(0xec, 4, word(100))]), "the host wrote it");
    is(more(&[state(10)]), "died");
    is(more(&[state(5)]), "no state");
    is(
        more(&[write(0x40, 4, word(1))]),
        "0x40 was written with 1, which it was",
    );
    is(more(&[write(0x40, 4, word(3))]), "jumped");
    is(more(&[write(0x68, 4, word(0x4a4))]), "0x68 went from");
    is(more(&[write(0x59, 1, 1)]), "not 0");
    is(
        misfit(&MACOS.replace("data=0x81000000\n", "data=0x82000000\n"), 2),
        "most-entries",
    );
}

#[test]
fn many_commands_and_a_ring_that_goes_round() {
    let mut text = then(&[write(0x4c, 4, word(1))]);
    for n in 1..300u32 {
        let (at, next) = (n % 129, (n + 1) % 129);
        text += &write(0x174 + 2 * at, 2, u64::from((n as u16 % 60).swap_bytes()));
        text += &write(0x40, 4, word(next));
        text += MSI;
        text += &write(0x59, 1, 0);
        text += &read(0x48, 4, word(next));
        text += &write(0x4c, 4, word(next));
    }
    let outcome = fits(&text);
    assert_eq!(outcome.unseen, 3 + 299);
}

#[test]
fn the_card_may_take_its_time() {
    let submit = |index: u32, tag: u16| {
        write(0x174 + 2 * index, 2, tag.swap_bytes().into()) + &write(0x40, 4, word(index + 1))
    };
    fits(&then(&[
        submit(1, 5),
        submit(2, 6),
        read(0x58, 8, 0x0100_0100_0000_0000),
        read(0x48, 4, word(2)),
        MSI.to_owned(),
        read(0x58, 8, 0x0100_0100_0000_0100),
        read(0x48, 4, word(3)),
    ]));
}

#[test]
fn a_trace_may_begin_anywhere() {
    // The indices and the doorbell count on from what was before; so do the states.
    let bring_up: Vec<&str> = MACOS.split_inclusive('\n').take(30).collect();
    let bring_up = bring_up.concat();
    let more = [
        read(0x68, 4, word(7)),
        write(0x68, 4, word(8)),
        MSI.to_owned(),
        read(0x5a, 1, 1),
        read(0x40, 4, word(128)),
        read(0x48, 4, word(128)),
        write(0x174 + 256, 2, 0x0500),
        write(0x40, 4, word(0)),
        MSI.to_owned(),
        read(0x48, 4, word(0)),
        write(0x4c, 4, word(0)),
    ];
    let outcome = fits(&(state(0) + &state(15) + &state(2) + &bring_up + &more.concat()));
    assert_eq!(outcome.tolerated[&Tolerated::Before], 3);
}

#[test]
fn what_nobody_can_know_is_tolerated() {
    let outcome = fits(&then(&[
        read(0x78, 4, 0x1234),
        read(0x9000, 4, 0x1234),
        read(0x58, 1, 1),
        state(8),
    ]));
    let counts: Vec<u64> = outcome.tolerated.values().copied().collect();
    assert_eq!(counts, [1, 1, 1, 2], "{outcome}");
}
