// SPDX-License-Identifier: GPL-2.0

//! macOS's conversation with the real card, replayed against the twin.
//!
//! The trace as QEMU printed it, less the process ids: every write is done again,
//! every read must give what the card gave. `msi` waits for an interrupt. Values
//! are little-endian, as an x86 host sees the card's big-endian words.

use super::*;

const TRACE: &str = "
    read  0xb4  4 0x80000000
    read  0xbc  4 0x81000000
    write 0x5d  1 0x0
    write 0xe4  4 0x80000000
    write 0xe8  4 0x1000000
    write 0xec  4 0x81000000
    write 0xf4  4 0x0
    write 0xf8  4 0x50b70a
    write 0xfc  4 0x0
    write 0x100 4 0x70b70a
    write 0x104 4 0x100000
    write 0x114 4 0x0
    write 0x118 4 0x60b70a
    write 0x11c 4 0x0
    write 0x120 4 0x80b70a
    write 0x12c 4 0x0
    write 0x130 4 0x90b70a
    write 0x134 4 0xac080000
    write 0x144 4 0x0
    write 0x148 4 0xc0b90a
    read  0xc4  4 0x0
    read  0xc8  4 0x74010000
    read  0x2c  4 0x0
    write 0x2c  4 0x1000000
    read  0x5d  1 0x0
    poll  0x5d  1 0x1
    write 0x62  1 0x0
    write 0x64  1 0x0
    config 0x22c 4 0x4
    write 0x61  1 0x0
    read  0x68  4 0xa0040000
    write 0x68  4 0xa1040000
    msi
    read  0x58  8 0x100010000010000
    write 0x5a  1 0x0
    read  0x58  8 0x100010000000000
    read  0x68  4 0xa1040000
    write 0x68  4 0xa2040000
    msi
    read  0x58  8 0x100010000010000
    write 0x5a  1 0x0
    read  0x58  8 0x100010000000000
    read  0x40  4 0x0
    write 0x174 2 0x3b00
    write 0x40  4 0x1000000
    msi
    read  0x58  8 0x100010000000100
    write 0x59  1 0x0
";

fn hex(text: &str) -> u64 {
    u64::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap()
}

#[test]
fn the_trace_of_macos() {
    let bench = Bench::new("bring-up-delay=200");
    bench.memory.put(B, b"<xml/>\0");
    bench.put_slot(0x3b, &[], [0; 8]);
    for line in TRACE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, offset, width, value] = words[..] else {
            bench.until("interrupt", || bench.report().interrupts == 1);
            bench.card.figures.lock().interrupts = 0;
            continue;
        };
        let (offset, width) = (hex(offset), width.parse::<usize>().unwrap());
        let want = hex(value).to_le_bytes()[..width].to_vec();
        let mut got = vec![0; width];
        match kind {
            "read" => bench.card.read(offset, &mut got),
            "config" => bench.card.config().read(offset, &mut got),
            "write" => {
                bench.card.write(offset, &want);
                continue;
            }
            "poll" => {
                bench.until("ready", || bench.read8(offset as u32) == want[0]);
                continue;
            }
            _ => unreachable!(),
        }
        assert_eq!(got, want, "{line}");
    }
    assert!(bench.answered(0x3b));
    assert!(bench.memory.get(D, 5) == b"<?xml");
    let regions = bench.regions();
    let at = (
        regions.slots,
        regions.ring,
        regions.mgmt_command,
        regions.mgmt_response,
    );
    assert_eq!(at, (A, C, B, D));
    assert_eq!(
        (regions.lists, regions.responses, regions.list_units),
        (E, F, 2220)
    );
    let report = bench.report();
    assert_eq!(
        (report.protocol_errors, report.dma_refused),
        (0, 0),
        "{report:?}"
    );
    assert_eq!(
        (report.handshakes, report.managed, report.completed),
        (1, 2, 1)
    );
}
