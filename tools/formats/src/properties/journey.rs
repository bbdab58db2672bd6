// SPDX-License-Identifier: GPL-2.0

//! The two hazards, from end to end: a command that the driver's modules planned and encoded is
//! carried out by the twin at its worst, and nothing but what was meant for the card is touched.
//!
//! What lies between plan and ring in the driver (`queue.rs`, `regions.rs`) needs the kernel, so it
//! is done here once more, shortly.

use core::num::NonZero;
use std::{ops::Range, time::Duration};

use apple_raid_twin::{
    CardParams, Volume,
    card::{
        bench::{Bench, REGIONS},
        params::{Inline, LengthFrom},
        properties::Cdb,
    },
};
use arbitrary::{Arbitrary, Unstructured};

use super::Buffer;
use crate::{
    cdb::Way,
    lists::List,
    transfer::{OWN_LEN, Transfer, plan},
    wire::{Descriptor, MAX_ENTRY_LEN, Response, Slot, UNIT},
};

/// Tags whose lists the card is told of.
const TAGS: u16 = 60;

/// Where the caller's segments, the sink and the tags' own memory lie. Between any two there is a
/// gap.
const SEGMENTS: u64 = 0x1_0000_0000;
const SEGMENT_STRIDE: u64 = 0x0123_4000;
const SINK: u64 = 0x8_0000_0000;
const OWN: u64 = 0x8_8000_0000;

/// A command, its buffer, and the card.
#[derive(Clone, Debug)]
pub struct Input {
    cdb: Cdb,
    buffer: Buffer,
    tag: u16,
    /// Length of the first segments, in units.
    units: [u8; 8],
    card: CardParams,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let cdb = u.arbitrary()?;
        Ok(Input {
            cdb,
            buffer: super::buffer(u, &cdb)?,
            tag: u16::from(u.arbitrary::<u8>()?) % TAGS,
            units: u.arbitrary()?,
            card: CardParams {
                inline: match u.arbitrary::<u8>()? % 3 {
                    0 => Inline::Never,
                    1 => Inline::Fits,
                    _ => Inline::Seed,
                },
                seed: u.arbitrary::<u8>()?.into(),
                length_from: LengthFrom::Cdb,
                init: Duration::ZERO,
                ready: Duration::ZERO,
                enable: Duration::ZERO,
                ..CardParams::default()
            },
        })
    }
}

/// Returns whether the card got to see the command.
pub fn the_card_touches_only_what_is_meant_for_it(input: &Input) -> bool {
    let (offered, room) = input.buffer;
    let Ok(plan) = plan(&input.cdb.0, offered, room, NonZero::new(512)) else {
        return false;
    };
    let bench = Bench::idle(input.card.clone());
    let volume = Volume::temporary(4 << 20).expect("a temporary volume");
    bench
        .card
        .target()
        .add_volume(0, volume)
        .expect("LUN 0 is free");
    // TEST UNIT READY: what a unit has to tell after power-on, it tells here.
    bench.card.target().execute(0, &[0; 16], &[]);
    bench.handshake();

    let (descriptor, writable) = describe(&bench, input, plan);
    let slot = Slot::command(input.tag, 0, &input.cdb.0, descriptor);
    bench.put_raw_slot(input.tag, &super::wire::bytes(slot));
    bench.ring(input.tag);
    let job = bench.next_job().expect("the command was not submitted");
    bench.memory.take_written();
    bench.execute(&job);

    let report = bench.report();
    assert_eq!(report.completed, 1, "{input:02x?}: {report:?}");
    assert_eq!(report.dma_refused, 0, "{input:02x?}: {report:?}");
    assert_eq!(report.overruns, 0, "{input:02x?}: {report:?}");
    assert_eq!(report.protocol_errors, 0, "{input:02x?}: {report:?}");
    let response = REGIONS.responses + u64::from(input.tag) * 32;
    let ring = REGIONS.ring..REGIONS.ring + u64::from(REGIONS.entries) * 2;
    let own = [response..response + 32, ring];
    for piece in bench.memory.take_written() {
        let (start, end) = (piece.address, piece.address + piece.bytes.len() as u64);
        let within = |range: &Range<u64>| range.start <= start && end <= range.end;
        assert!(
            own.iter().chain(&writable).any(within),
            "{input:02x?}: {start:#x}..{end:#x} was written"
        );
    }
    let answer = bench.response(input.tag);
    let header = u64::from_ne_bytes(*answer.first_chunk().expect("32 bytes"));
    assert!(
        Response::of_command(header, input.tag).is_some(),
        "{input:02x?}: {header:016x}"
    );
    true
}

/// Describes the data as the driver does. Returns what the card may write, besides.
fn describe(bench: &Bench, input: &Input, plan: Option<Transfer>) -> (Descriptor, Vec<Range<u64>>) {
    let Some(transfer) = plan else {
        return (Descriptor::None, Vec::new());
    };
    let segments = segments(input);
    let own = OWN + u64::from(input.tag) * OWN_LEN as u64;
    let mut writable = Vec::new();
    let mut map = |address: u64, len: usize| {
        bench.memory.map(address, len, transfer.way == Way::In);
        writable.push(address..address + len as u64);
    };
    // No more than whole units of what has to travel there.
    let in_own = transfer.own.next_multiple_of(UNIT);
    let described = (transfer.straight + in_own) as usize;
    map(own, in_own as usize);
    map(
        SINK,
        (transfer.len.next_multiple_of(UNIT) as usize).saturating_sub(described),
    );
    // What is left of the last unit is the caller's, but not for the card.
    let mut left = transfer.straight;
    for (address, len) in &segments {
        let len = left.min(*len);
        left -= len;
        map(*address, len as usize);
    }
    let mut list = List::begin(input.tag, |place: usize, word: u64| {
        let at = REGIONS.lists + place as u64 * 8;
        bench.memory.poke(at, &word.to_ne_bytes()).ok()
    });
    transfer
        .entries(segments.into_iter(), own, SINK, |entry| list.push(entry))
        .expect("room for all entries");
    (list.end(false).expect("an end of the list"), writable)
}

/// Cuts the buffer into segments of whole units; the last one ends where it ends.
fn segments(input: &Input) -> Vec<(u64, u32)> {
    let (_, mut left) = input.buffer;
    let mut wanted = input.units.iter().map(|n| u32::from(*n) * UNIT);
    let mut segments = Vec::new();
    while left > 0 {
        let most = left.min(MAX_ENTRY_LEN);
        let len = match wanted.next() {
            None | Some(0) => most,
            Some(len) => len.min(most),
        };
        segments.push((SEGMENTS + SEGMENT_STRIDE * segments.len() as u64, len));
        left -= len;
    }
    segments
}
