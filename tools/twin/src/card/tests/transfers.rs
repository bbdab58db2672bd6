// SPDX-License-Identifier: GPL-2.0

//! Data movement: entries, lists, what is inside a response, and both hazards.

use super::*;

/// INQUIRY of so many bytes.
fn inquiry(length: u8) -> [u8; 6] {
    [0x12, 0, 0, 0, length, 0]
}

/// What INQUIRY says.
fn said(bench: &Bench) -> Vec<u8> {
    let mut cdb = [0; 16];
    cdb[..6].copy_from_slice(&inquiry(255));
    bench.card.target().execute(0, &cdb, &[]).data_in
}

fn never(settings: &str) -> Bench {
    Bench::ready(&format!("inline=never {settings}"))
}

#[test]
fn data_in_place_moves_in_units_of_8() {
    let bench = never("");
    let said = said(&bench);
    bench.command(1, &inquiry(32), entry(DATA, 8));
    assert_eq!(bench.answer(1)[..8], [2, 1, 0, 1, 0, 0, 0, 0]);
    assert_eq!(bench.memory.get(DATA, 33), [&said[..32], &[0xa5]].concat());
    assert_eq!(bench.report().junk_bytes, 0);
    bench.command(1, &inquiry(13), entry(DATA, 4));
    bench.answer(1);
    let page = bench.memory.get(DATA, 24);
    assert_eq!((&page[..13], &page[16..]), (&said[..13], &said[16..24]));
    // Bytes 13 to 15 are junk, which the seed decides.
    assert_ne!(page[13..16], said[13..16]);
    let report = bench.report();
    assert_eq!((report.junk_bytes, report.bytes_in), (3, 45));
    bench.is_clean();
}

#[test]
fn the_start_up_inquiry_of_macos() {
    let bench = never("");
    bench.memory.map(0x02_3294_c000, 0x1000, true);
    let descriptor = [0x02, 0x32, 0x94, 0xc0, 0, 0, 0, 1];
    bench.command(0x3b, &inquiry(4), descriptor);
    bench.answer(0x3b);
    assert_eq!(bench.memory.get(0x02_3294_c000, 4), said(&bench)[..4]);
    assert_eq!(bench.memory.get(0x02_3294_c008, 4), [0xa5; 4]);
    bench.is_clean();
}

#[test]
fn the_list_of_the_trace() {
    // 13 bytes of INQUIRY data: 8 of them into the caller's memory, the rest by way of the
    // tag's 8 bytes.
    let bench = never("");
    bench.memory.map(0x0b59_d000, 0x1000, true);
    let entries = [entry(0x02_319b_5900, 2), entry(0x0b59_d1d8, 2)];
    bench.memory.put(REGIONS.unit(0x887), &unit(&entries, 0));
    bench.command(59, &inquiry(13), [0x08, 0x87, 0, 0, 0, 0, 0, 0]);
    bench.answer(59);
    let said = said(&bench);
    assert_eq!(bench.memory.get(0x02_319b_5900, 8), said[..8]);
    assert_eq!(bench.memory.get(0x0b59_d1d8, 5), said[8..13]);
    assert_eq!(bench.memory.get(0x0b59_d1e0, 4), [0xa5; 4]);
    assert_eq!(bench.report().junk_bytes, 3);
    bench.is_clean();
}

#[test]
fn a_chain_of_units_both_ways() {
    let bench = never("");
    let data: Vec<u8> = (0..1024).map(|n| (n / 3) as u8).collect();
    bench.memory.put(DATA, &data);
    // 16 entries of 64 bytes, last first, over three units: the first of tag 0.
    let entries: Vec<[u8; 8]> = (0..16).map(|n| entry(DATA + 64 * (15 - n), 16)).collect();
    let units = [(0, 0..7, 5), (5, 7..14, 2), (2, 14..16, 0)];
    for (index, range, link) in units {
        let unit = unit(&entries[range], link);
        bench.memory.put(REGIONS.unit(index), &unit);
    }
    bench.command(0, WRITE, list(0));
    assert_eq!(bench.answer(0)[6], 0);
    bench.command(1, READ, entry(DATA + 0x1000, 256));
    assert_eq!(bench.answer(1)[6], 0);
    let turned: Vec<u8> = data.chunks(64).rev().flatten().copied().collect();
    assert_eq!(bench.memory.get(DATA + 0x1000, 1024), turned);
    bench.memory.put(DATA, &[0; 1024]);
    bench.command(0, READ, list(0));
    bench.answer(0);
    assert_eq!(bench.memory.get(DATA, 1024), data);
    let report = bench.report();
    assert_eq!(
        (report.bytes_in, report.bytes_out, report.overruns),
        (2048, 1024, 0)
    );
    bench.is_clean();
}

#[test]
fn data_inside_the_response() {
    let bench = Bench::ready("inline=fits");
    let said = said(&bench);
    bench.command(1, &inquiry(24), entry(DATA, 6));
    let response = bench.answer(1);
    assert_eq!(response[..8], [2, 3, 0, 1, 0, 24, 0, 0]);
    assert_eq!(response[8..], said[..24]);
    assert_eq!(bench.memory.get(DATA, 4), [0xa5; 4]);
    bench.command(1, &inquiry(25), entry(DATA, 8));
    assert_eq!(bench.answer(1)[1], 1);
    assert_eq!(bench.memory.get(DATA, 25), said[..25]);
    assert_eq!(bench.report().inline, 1);

    let seed = Bench::ready("");
    for _ in 0..40 {
        seed.command(1, &inquiry(8), entry(DATA, 2));
        seed.answer(1);
    }
    assert!((5..35).contains(&seed.report().inline));
}

#[test]
fn a_transfer_longer_than_its_descriptor() {
    let worst = never("");
    let said = said(&worst);
    worst.command(1, &inquiry(32), entry(DATA, 2));
    worst.answer(1);
    assert_eq!(worst.memory.get(DATA, 33), [&said[..32], &[0xa5]].concat());
    // Past the end of a list, too.
    worst.memory.put(DATA, &[0xa5; 64]);
    let entries = [entry(DATA + 32, 2), entry(DATA, 2)];
    worst.memory.put(REGIONS.unit(7), &unit(&entries, 0));
    worst.command(1, &inquiry(24), list(7));
    worst.answer(1);
    assert_eq!(worst.memory.get(DATA, 17), [&said[8..24], &[0xa5]].concat());
    assert_eq!(worst.report().overruns, 2);

    let heeding = never("length-from=descriptor");
    heeding.command(1, &inquiry(32), entry(DATA, 2));
    assert_eq!(heeding.answer(1)[6], 0);
    assert_eq!(heeding.memory.get(DATA, 9), [&said[..8], &[0xa5]].concat());
    heeding.command(1, WRITE, entry(DATA, 2));
    // Data phase error.
    assert_eq!(heeding.answer(1)[20], 0x4b);
    assert_eq!(heeding.report().overruns, 2);
}

#[test]
fn the_bit_of_byte_1_with_a_list() {
    let raw = |bench: &Bench, flag: u8| {
        bench.memory.put(DATA, &[0xa5; 64]);
        let entries = [entry(DATA, 2), entry(DATA + 32, 2)];
        bench.memory.put(REGIONS.unit(37), &unit(&entries, 0));
        let mut slot = [0; 32];
        slot[..4].copy_from_slice(&[1, flag, 0, 1]);
        slot[8..14].copy_from_slice(&inquiry(16));
        slot[24..].copy_from_slice(&list(37));
        bench.put_raw_slot(1, &slot);
        bench.ring(1);
        assert_eq!(bench.answer(1)[6], 0);
        bench.memory.get(DATA, 1) != [0xa5]
    };
    for (setting, flag, comes, complaints) in [
        ("list-flag=clear", 0, true, 0),
        ("list-flag=clear", 1, false, 1),
        ("list-flag=set", 0, false, 0),
        ("list-flag=set", 1, true, 0),
        ("list-flag=any", 0, true, 0),
        ("list-flag=any", 1, true, 0),
    ] {
        let bench = never(setting);
        assert_eq!(raw(&bench, flag), comes, "{setting} {flag}");
        let report = bench.report();
        assert_eq!(report.protocol_errors, complaints, "{setting} {flag}");
        assert_eq!((report.overruns, report.dma_refused), (0, 0));
    }
}

#[test]
fn memory_that_the_card_may_not_write() {
    let bench = never("");
    bench.memory.map(0x10000, 0x1000, false);
    for at in [0x10000, 1 << 36] {
        bench.command(1, READ, entry(at, 256));
        assert_eq!(bench.answer(1)[20], 0x47);
    }
    bench.command(1, WRITE, entry(0x10000, 256));
    assert_eq!(bench.answer(1)[6], 0);
    assert_eq!(bench.report().dma_refused, 2);
}
