// SPDX-License-Identifier: GPL-2.0

//! Data movement: the three descriptors, and both hazards.

use super::super::dma::{Errand, NoDma};
use super::super::transfer::{Short, Transfer};
use super::super::wire::Descriptor;
use super::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Where the tests' data lies; a page, filled with 0xa5.
pub(super) const DATA: u64 = 0x02_319b_5000;

impl Bench {
    fn with_transfer<T>(&self, then: impl FnOnce(&Transfer<'_>) -> T) -> T {
        let errand = Errand {
            era: self.card.state().era,
            tag: Some(1),
        };
        let regions = self.regions();
        then(&Transfer {
            card: &self.card,
            errand,
            regions: &regions,
            tag: 1,
            pace: std::time::Duration::ZERO,
        })
    }

    pub(super) fn deliver(&self, descriptor: [u8; 8], data: &[u8]) -> Result<(), NoDma> {
        let descriptor = Descriptor::decode(descriptor, &self.card.params());
        let mut random = ChaCha8Rng::seed_from_u64(1);
        self.with_transfer(|transfer| transfer.deliver(&descriptor, data, &mut random))
    }

    fn fetch(&self, descriptor: [u8; 8], length: u64) -> Result<Vec<u8>, Short> {
        let descriptor = Descriptor::decode(descriptor, &self.card.params());
        self.with_transfer(|transfer| transfer.fetch(&descriptor, length))
    }
}

/// An entry, or a direct descriptor.
pub(super) fn entry(address: u64, words: u8) -> [u8; 8] {
    let [.., a, b, c, d, e] = address.to_be_bytes();
    [a, b, c, d, e, 0, 0, words]
}

pub(super) fn with_data(settings: &str) -> Bench {
    let bench = Bench::ready(settings);
    bench.memory.map(DATA, 0x1000, true);
    bench
}

#[test]
fn direct_data_in_is_exact_without_junk() {
    let bench = with_data("junk=0");
    bench.deliver(entry(DATA, 9), &[1; 36]).unwrap();
    let page = bench.memory.get(DATA, 40);
    assert_eq!((&page[..36], &page[36..]), (&[1; 36][..], &[0xa5; 4][..]));
    assert_eq!(bench.report().bytes_in, 36);
}

#[test]
fn the_two_entry_list_of_the_trace() {
    // 13 bytes of INQUIRY data over two entries of two words.
    for (unit, setting) in [(64, "list-unit=64"), (8, "list-unit=8")] {
        let bench = with_data(&format!("junk=0 {setting}"));
        bench.memory.map(0x0b59_d000, 0x1000, true);
        let list = [entry(0x02_319b_5900, 2), entry(0x0b59_d1d8, 2)].concat();
        bench.memory.put(E + 0x887 * unit, &list);
        let data: Vec<u8> = (0..13).collect();
        bench
            .deliver([0x08, 0x87, 0, 0, 0, 0, 0, 0], &data)
            .unwrap();
        assert_eq!(
            bench.memory.get(0x02_319b_5900, 9)[..],
            [&data[..8], &[0xa5]].concat()
        );
        assert_eq!(bench.memory.get(0x0b59_d1d8, 5)[..], data[8..]);
        // The pad to a whole word is junk; what follows is untouched.
        assert_eq!(bench.memory.get(0x0b59_d1e0, 4), [0xa5; 4]);
    }
}

#[test]
fn data_out_from_a_list_longer_than_a_unit() {
    let bench = with_data("");
    let data: Vec<u8> = (0..80).collect();
    bench.memory.put(DATA, &data);
    let list: Vec<u8> = (0..10).flat_map(|n| entry(DATA + 8 * (9 - n), 2)).collect();
    bench.memory.put(E + 64, &list);
    let got = bench.fetch([0, 1, 0, 0, 0, 0, 0, 0], 78).ok().unwrap();
    let want: Vec<u8> = data.chunks(8).rev().flatten().copied().collect();
    assert_eq!(got, want[..78]);
    assert_eq!(
        (bench.report().bytes_out, bench.report().protocol_errors),
        (78, 0)
    );
}

#[test]
fn junk_follows_data_that_does_not_end_on_512() {
    let bench = with_data("junk-exact=64");
    bench.deliver(entry(DATA, 9), &[1; 36]).unwrap();
    let page = bench.memory.get(DATA, 0x1000);
    assert!(page[36..100].iter().any(|byte| *byte != 0xa5));
    assert!(page[100..].iter().all(|byte| *byte == 0xa5));
    bench.deliver(entry(DATA + 0x200, 128), &[1; 512]).unwrap();
    assert_eq!(bench.memory.get(DATA + 0x400, 64), [0xa5; 64]);
    assert_eq!(bench.report().junk_bytes, 64);
}

#[test]
fn junk_follows_whole_blocks_only_if_it_was_asked_for() {
    let bench = with_data("junk-exact=64 junk-after=any");
    bench.deliver(entry(DATA, 128), &[1; 512]).unwrap();
    assert_ne!(bench.memory.get(DATA + 0x200, 64), [0xa5; 64]);
    assert_eq!(bench.report().junk_bytes, 64);
}

#[test]
fn junk_that_the_host_refuses_is_reported_and_no_more() {
    let bench = with_data("overrun=16");
    bench.deliver(entry(DATA + 0xff0, 3), &[1; 12]).unwrap();
    let refused = bench.report().first_refused.unwrap();
    assert_eq!(
        (refused.what, refused.address, refused.length),
        ("junk", DATA + 0xffc, 16)
    );
}

#[test]
fn seeded_junk_stays_within_its_maximum() {
    for seed in 0..20 {
        let bench = with_data(&format!("junk=8 seed={seed}"));
        bench.deliver(entry(DATA, 1), &[1; 4]).unwrap();
        assert!(
            bench.memory.get(DATA, 0x1000)[12..]
                .iter()
                .all(|byte| *byte == 0xa5)
        );
        assert!(bench.report().junk_bytes <= 8);
    }
}

#[test]
fn a_transfer_longer_than_its_descriptor() {
    let worst = with_data("junk=0");
    worst.deliver(entry(DATA, 2), &[1; 24]).unwrap();
    assert_eq!(worst.memory.get(DATA, 25), [&[1; 24][..], &[0xa5]].concat());
    assert_eq!(worst.report().overruns, 1);
    assert_eq!(worst.fetch(entry(DATA, 2), 16).ok().unwrap(), [1; 16]);
    // Without any descriptor it goes to address 0, where the host has nothing.
    assert_eq!(worst.deliver([0; 8], &[1; 4]), Err(NoDma::Refused));

    let heeding = with_data("junk=0 length-from=descriptor");
    heeding.deliver(entry(DATA, 2), &[1; 24]).unwrap();
    assert_eq!(heeding.memory.get(DATA, 9), [&[1; 8][..], &[0xa5]].concat());
    assert!(matches!(
        heeding.fetch(entry(DATA, 2), 16),
        Err(Short::Descriptor)
    ));
    assert_eq!(heeding.deliver([0; 8], &[1; 4]), Ok(()));
    assert_eq!(
        (heeding.report().overruns, heeding.report().dma_refused),
        (3, 0)
    );
}

#[test]
fn lists_without_an_end_are_bounded() {
    let bench = with_data("junk=0");
    // One word an entry, to the very end of region E.
    let last = u64::from(LIST_UNITS - 1);
    bench.memory.put(E + last * 64, &entry(DATA, 1).repeat(8));
    let [hi, lo] = (last as u16).to_be_bytes();
    bench.deliver([hi, lo, 0, 0, 0, 0, 0, 0], &[1; 40]).unwrap();
    assert_eq!(bench.report().protocol_errors, 1);
    assert_eq!(
        bench.deliver([0xff, 0xff, 0, 0, 0, 0, 0, 0], &[1; 4]),
        Err(NoDma::Refused)
    );
}

#[test]
fn memory_that_the_card_may_not_write() {
    let bench = Bench::ready("");
    bench.memory.map(DATA, 0x1000, false);
    assert_eq!(bench.deliver(entry(DATA, 1), &[1; 4]), Err(NoDma::Refused));
    assert!(bench.fetch(entry(DATA, 1), 4).is_ok());
    assert_eq!(
        bench.deliver(entry(1 << 36, 1), &[1; 4]),
        Err(NoDma::Refused)
    );
    assert_eq!(bench.report().dma_refused, 2);
}
