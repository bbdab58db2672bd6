// SPDX-License-Identifier: GPL-2.0

//! The two hazards, from end to end: a command that the driver's modules planned and encoded is
//! carried out by the twin at its worst, and nothing but what was meant for the card is touched.
//!
//! What lies between plan and doorbell in the driver (`submission.rs`, `regions.rs`) needs the
//! kernel, so it is done here once more, shortly: one segment goes into the slot, several go into
//! the tag's list, a zero ends it.

use core::num::NonZero;
use std::{ops::Range, time::Duration};

use apple_raid_twin::{
    CardParams, Volume,
    card::{
        bench::{Bench, LIST_UNIT, REGIONS},
        params::LengthFrom,
        properties::Cdb,
    },
};
use arbitrary::{Arbitrary, Unstructured};

use crate::{
    model::CardModel,
    transfer::{BOUNCE_MAX, BOUNDARY, Buffer, Plan, Way, plan},
    wire::{self, ENTRY_LEN, Entry, MAX_WORDS, Response},
};

/// Units of region E that belong to a tag; macOS had it so.
const UNITS_PER_TAG: u16 = 37;

/// Tags whose lists region E has room for.
const TAGS: u16 = 59;

/// Where the caller's segments and the bounce buffer lie. Between any two there is a gap.
const SEGMENTS: u64 = 0x1_0000_0000;
const SEGMENT_STRIDE: u64 = 0x0123_4000;
const BOUNCE: u64 = 0x8_0000_0000;

/// The longest segment that an entry can describe up to a boundary.
const SEGMENT_MAX: u32 = MAX_WORDS * 4 / BOUNDARY * BOUNDARY;

/// A command, its buffer, and the card.
#[derive(Clone, Debug)]
pub struct Input {
    cdb: Cdb,
    buffer: Buffer,
    tag: u16,
    /// Blocks of the first segments.
    blocks: [u8; 8],
    card: CardParams,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let cdb = u.arbitrary()?;
        Ok(Input {
            cdb,
            buffer: super::buffer(u, &cdb)?,
            tag: u16::from(u.arbitrary::<u8>()?) % TAGS,
            blocks: u.arbitrary()?,
            card: CardParams {
                list_unit: if u.arbitrary()? { 8 } else { 64 },
                entry_count: if u.arbitrary()? { 16 } else { 24 },
                junk: u32::from(u.arbitrary::<u16>()? % 513),
                length_from: LengthFrom::Cdb,
                bring_up_delay: Duration::ZERO,
                ..CardParams::default()
            },
        })
    }
}

/// Returns whether the card got to see the command.
pub fn the_card_touches_only_what_is_meant_for_it(input: &Input) -> bool {
    let Ok(plan) = plan(&input.cdb.0, input.buffer, NonZero::new(512)) else {
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
    let slot = wire::slot(input.tag, [0; 4], &input.cdb.0, descriptor);
    bench.put_raw_slot(input.tag, &slot);
    bench.ring(input.tag);
    let job = bench.next_job().expect("the command was not submitted");
    bench.memory.take_written();
    bench.execute(&job);

    let report = bench.report();
    assert_eq!(report.completed, 1, "{input:02x?}: {report:?}");
    assert_eq!(report.dma_refused, 0, "{input:02x?}: {report:?}");
    assert_eq!(report.overruns, 0, "{input:02x?}: {report:?}");
    assert_eq!(report.protocol_errors, 0, "{input:02x?}: {report:?}");
    let response = response_at(input);
    let ring = REGIONS.ring..REGIONS.ring + u64::from(REGIONS.ring_entries) * 4;
    let own = [response..response + 8 + wire::SENSE_LEN as u64, ring];
    for piece in bench.memory.take_written() {
        let (start, end) = (piece.address, piece.address + piece.bytes.len() as u64);
        let within = |range: &Range<u64>| range.start <= start && end <= range.end;
        assert!(
            own.iter().chain(&writable).any(within),
            "{input:02x?}: {start:#x}..{end:#x} was written"
        );
    }
    let header = bench.memory.peek(response).expect("region F");
    let answer = wire::response(header, input.tag);
    assert!(
        matches!(answer, Some(Response::Done { .. })),
        "{input:02x?}: {answer:?}"
    );
    true
}

fn response_at(input: &Input) -> u64 {
    REGIONS.responses + u64::from(input.tag) * u64::from(input.card.response_stride)
}

/// Describes the data as the driver does. Returns what the card may write, besides.
fn describe(bench: &Bench, input: &Input, plan: Plan) -> (Entry, Vec<Range<u64>>) {
    let range = |address: u64, len: u32| address..address + u64::from(len);
    match plan {
        Plan::NoData => (Entry::ZERO, Vec::new()),
        Plan::Bounce(way, len) => {
            let room = (BOUNCE_MAX + CardModel::LEAST_MARGIN) as usize;
            bench.memory.map(BOUNCE, room, way == Way::In);
            let descriptor = Entry::new(BOUNCE, len).expect("an entry for a bounce buffer");
            (
                descriptor,
                vec![range(BOUNCE, len + CardModel::LEAST_MARGIN)],
            )
        }
        Plan::Direct(way) => {
            let segments = segments(input);
            let mut entries = Vec::new();
            for (address, len) in &segments {
                bench.memory.map(*address, *len as usize, way == Way::In);
                entries.push(Entry::new(*address, *len).expect("an entry for a segment"));
            }
            let descriptor = match entries[..] {
                [entry] => entry,
                _ => list(bench, input, &entries),
            };
            let ranges = segments.into_iter().map(|(at, len)| range(at, len));
            (descriptor, ranges.collect())
        }
    }
}

/// Cuts the buffer into segments that begin and end on boundaries.
fn segments(input: &Input) -> Vec<(u64, u32)> {
    let (Buffer::In(mut left) | Buffer::Out(mut left) | Buffer::Either(mut left)) = input.buffer
    else {
        panic!("{input:02x?}: data without a buffer")
    };
    let mut wanted = input.blocks.iter().map(|n| u32::from(*n) * BOUNDARY);
    let mut segments = Vec::new();
    while left > 0 {
        let most = left.min(SEGMENT_MAX);
        let len = match wanted.next() {
            None | Some(0) => most,
            Some(len) => len.min(most),
        };
        segments.push((SEGMENTS + SEGMENT_STRIDE * segments.len() as u64, len));
        left -= len;
    }
    segments
}

/// Writes a tag's list and returns the descriptor that leads to it.
fn list(bench: &Bench, input: &Input, entries: &[Entry]) -> Entry {
    let first = u64::from((input.tag + 1) * UNITS_PER_TAG) * LIST_UNIT;
    let bytes: Vec<_> = entries
        .iter()
        .chain([&Entry::ZERO])
        .flat_map(|entry| entry.to_bytes())
        .collect();
    assert!(bytes.len() <= usize::from(UNITS_PER_TAG) * LIST_UNIT as usize);
    assert_eq!(bytes.len() % ENTRY_LEN, 0);
    bench
        .memory
        .poke(REGIONS.lists + first, &bytes)
        .expect("region E");
    let index = first / u64::from(input.card.list_unit);
    let index = u16::try_from(index).ok().and_then(NonZero::new);
    Entry::list(index.expect("an index that can be expressed"))
}
