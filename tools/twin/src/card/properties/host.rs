// SPDX-License-Identifier: GPL-2.0

//! Hosts that make no sense: whatever one writes, the card neither panics nor reaches
//! beyond its window, and each command ends, with an answer where one can be written.

use super::super::bench::{Bench, REGIONS};
use super::super::bringup::Regions;
use super::super::params::{CardParams, Doorbell, JunkAfter, LengthFrom, LunEncoding, RingFormat};
use super::super::regs;
use super::super::wire::{ENTRY_LEN, SLOT_LEN};
use super::Cdb;
use super::verdict::work;
use crate::scsi::Volume;
use arbitrary::{Arbitrary, Unstructured};
use std::time::Duration;

/// Memory for data, besides the regions: address, length, whether the card may write it.
/// The last piece is beyond the card's window.
const MEMORY: [(u64, usize, bool); 4] = [
    (0x02_319b_5000, 0x10000, true),
    (0x0b59_d000, 0x2000, true),
    (0x0001_0000, 0x1000, false),
    ((1 << 36) - 0x1000, 0x2000, true),
];

/// Most steps of a script.
const MOST_STEPS: usize = 64;

/// A card of some kind, and what its host does to it.
#[derive(Clone, Debug)]
pub struct Script {
    card: CardParams,
    steps: Vec<Step>,
}

/// One thing that a host does.
#[derive(Clone, Debug)]
enum Step {
    /// Lets the card execute the next command.
    Work,
    /// Fills a slot: a request of this tag, whatever it requests.
    Slot {
        tag: u8,
        lun: [u8; 4],
        cdb: Cdb,
        descriptor: [u8; ENTRY_LEN],
    },
    /// Fills a slot with these very bytes.
    RawSlot { tag: u8, raw: [u8; SLOT_LEN] },
    /// Fills an entry of region E, counted from its begin.
    Entry { at: u8, entry: [u8; ENTRY_LEN] },
    /// Fills other memory.
    Poke { address: u64, data: [u8; 8] },
    /// Submits a tag.
    Ring { tag: u8 },
    /// Submits the management command.
    Manage,
    /// Writes BAR0, and reads it back.
    Access { offset: u64, data: Data },
    /// Writes configuration space, and reads it back.
    Config { offset: u64, data: Data },
    /// Configures the card anew, with one value of its own.
    Handshake { which: u8, value: u64 },
    /// Does something to the card that no host could.
    Fate(Fate),
}

/// What happens to a card.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Fate {
    Reset,
    PowerCut,
    Death,
    Life,
    Hold,
    Release,
    Lose,
}

/// Up to eight bytes.
#[derive(Clone, Copy, Debug)]
struct Data {
    bytes: [u8; 8],
    width: usize,
}

impl Data {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.width]
    }
}

impl<'a> Arbitrary<'a> for Data {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Data {
            width: usize::from(u.arbitrary::<u8>()? % 8) + 1,
            bytes: u.arbitrary()?,
        })
    }
}

/// An address that leads somewhere, or anywhere.
fn address(u: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    let (kind, offset): (u8, u16) = u.arbitrary()?;
    let near = |base: u64| base + u64::from(offset);
    Ok(match kind % 7 {
        0 => near(REGIONS.slots),
        1 => near(REGIONS.responses),
        2 => u64::from_be_bytes(u.arbitrary()?),
        piece => near(MEMORY[usize::from(piece) - 3].0),
    })
}

/// A descriptor, or an entry of a list.
fn entry(u: &mut Unstructured<'_>) -> arbitrary::Result<[u8; ENTRY_LEN]> {
    Ok(match u.arbitrary::<u8>()? % 4 {
        0 => [0; ENTRY_LEN],
        1 => [0, u.arbitrary::<u8>()? % 8, 0, 0, 0, 0, 0, 0],
        2 => ((address(u)? << 24) | u64::from(u.arbitrary::<u16>()?)).to_be_bytes(),
        _ => u.arbitrary()?,
    })
}

/// A tag; mostly one of a few, so that what is submitted has a slot.
fn tag(u: &mut Unstructured<'_>) -> arbitrary::Result<u8> {
    match u.arbitrary()? {
        few @ 0..0xf0u8 => Ok(few % 4),
        _ => u.arbitrary(),
    }
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(match u.arbitrary::<u8>()? % 16 {
            0..3 => Step::Work,
            3 => Step::RawSlot {
                tag: tag(u)?,
                raw: u.arbitrary()?,
            },
            4..7 => Step::Slot {
                tag: tag(u)?,
                // Mostly the one that has a volume.
                lun: match u.arbitrary()? {
                    0..0xe0u8 => [0; 4],
                    _ => u.arbitrary()?,
                },
                cdb: u.arbitrary()?,
                descriptor: entry(u)?,
            },
            7 => Step::Entry {
                at: u.arbitrary::<u8>()? % 64,
                entry: entry(u)?,
            },
            8 => Step::Poke {
                address: address(u)?,
                data: u.arbitrary()?,
            },
            9..11 => Step::Ring { tag: tag(u)? },
            11 => Step::Manage,
            12 => Step::Access {
                offset: match u.arbitrary()? {
                    0xffff => u.arbitrary()?,
                    near => u64::from(near % 0x180u16),
                },
                data: u.arbitrary()?,
            },
            13 => Step::Config {
                offset: u.arbitrary::<u16>()?.into(),
                data: u.arbitrary()?,
            },
            14 => Step::Handshake {
                which: u.arbitrary()?,
                value: address(u)?,
            },
            _ => Step::Fate(u.arbitrary()?),
        })
    }
}

impl<'a> Arbitrary<'a> for Script {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let card = card(u)?;
        let mut steps = Vec::new();
        while !u.is_empty() && steps.len() < MOST_STEPS {
            steps.push(u.arbitrary()?);
        }
        Ok(Script { card, steps })
    }
}

/// A card that is any of those that nobody can tell apart yet.
fn card(u: &mut Unstructured<'_>) -> arbitrary::Result<CardParams> {
    let [choices, stride, ring, commands] = u.arbitrary::<[u8; 4]>()?;
    let bit = |n: u8| (choices >> n) & 1 != 0;
    Ok(CardParams {
        list_unit: if bit(0) { 8 } else { 64 },
        lun_encoding: match bit(1) {
            true => LunEncoding::U16,
            false => LunEncoding::U32,
        },
        length_from: match bit(2) {
            true => LengthFrom::Descriptor,
            false => LengthFrom::Cdb,
        },
        entry_count: if bit(3) { 16 } else { 24 },
        doorbell: match bit(4) {
            true => Doorbell::Constant,
            false => Doorbell::Counter,
        },
        junk_after: match bit(5) {
            true => JunkAfter::Any,
            false => JunkAfter::Tail,
        },
        response_stride: 32 << (stride % 5),
        ring: [RingFormat::Tag32, RingFormat::Tag16, RingFormat::None][usize::from(ring % 3)],
        commands: 128 - u32::from(commands % 128),
        junk: u32::from(u.arbitrary::<u16>()? % 513),
        bring_up_delay: Duration::ZERO,
        ..CardParams::default()
    })
}

/// Has the card execute one command after the other, and looks at what each did.
pub fn every_command_ends(script: &Script) {
    let bench = ready(Bench::idle(script.card.clone()));
    for step in &script.steps {
        play(&bench, step);
        if let Step::Work = step {
            work(&bench);
        }
    }
    while work(&bench) {}
    let report = bench.report();
    assert_eq!(report.completed + report.dropped, report.submitted);
    let state = bench.card.state();
    assert!(state.in_flight.is_empty() && !state.managing);
}

/// The same with workers, that is with commands executed at the same time, while the
/// host goes on.
pub fn every_command_ends_with_workers(script: &Script) {
    let bench = ready(Bench::busy(script.card.clone()));
    for step in &script.steps {
        play(&bench, step);
    }
    bench.until("end", || {
        let report = bench.report();
        report.completed + report.dropped == report.submitted
    });
}

fn ready(bench: Bench) -> Bench {
    for (address, length, writable) in MEMORY {
        bench.memory.map(address, length, writable);
    }
    if let Ok(volume) = Volume::temporary(1 << 20) {
        let _ = bench.card.target().add_volume(0, volume);
    }
    // TEST UNIT READY: what a unit has to tell after power-on, it tells here.
    bench.card.target().execute(0, &[0; 16], &[]);
    bench.handshake();
    bench
}

fn play(bench: &Bench, step: &Step) {
    match *step {
        Step::Work => {}
        Step::Slot {
            tag,
            lun,
            cdb,
            descriptor,
        } => {
            bench.put_slot(tag.into(), &cdb.0, descriptor);
            let at = REGIONS.slots + u64::from(tag) * SLOT_LEN as u64 + 4;
            let _ = bench.memory.poke(at, &lun);
        }
        Step::RawSlot { tag, raw } => bench.put_raw_slot(tag.into(), &raw),
        Step::Entry { at, entry } => {
            let at = REGIONS.lists + u64::from(at) * ENTRY_LEN as u64;
            let _ = bench.memory.poke(at, &entry);
        }
        Step::Poke { address, data } => {
            let _ = bench.memory.poke(address, &data);
        }
        Step::Ring { tag } => ring(bench, tag),
        Step::Manage => bench.bump(regs::MGMT_DOORBELL),
        Step::Access { offset, data } => {
            bench.card.write(offset, data.bytes());
            bench.card.read(offset, &mut [0; 8][..data.width]);
        }
        Step::Config { offset, data } => {
            bench.card.write_config(offset, data.bytes());
            bench.card.read_config(offset, &mut [0; 8][..data.width]);
        }
        Step::Handshake { which, value } => {
            // Bus master, as a driver makes it.
            bench.card.write_config(4, &[6, 0]);
            bench.configure(&regions(which, value));
            bench.open_masks();
        }
        Step::Fate(fate) => match fate {
            Fate::Reset => bench.card.reset("fate"),
            Fate::PowerCut => bench.card.power_cut(),
            Fate::Death => bench.card.play_dead(true),
            Fate::Life => bench.card.play_dead(false),
            Fate::Hold => bench.card.hold_interrupts(true),
            Fate::Release => bench.card.hold_interrupts(false),
            Fate::Lose => bench.card.lose_interrupts(2),
        },
    }
}

/// The usual regions, but for one value.
fn regions(which: u8, value: u64) -> Regions {
    let mut regions = REGIONS;
    let number = value as u32;
    match which % 12 {
        0 => regions.slots = value,
        1 => regions.mgmt_command = value,
        2 => regions.ring = value,
        3 => regions.mgmt_response = value,
        4 => regions.lists = value,
        5 => regions.responses = value,
        6 => regions.commands = number,
        7 => regions.mgmt_command_len = number,
        8 => regions.ring_entries = number,
        9 => regions.list_units = number,
        _ => {}
    }
    regions
}

/// A doorbell submits a command or is a protocol error, unless the card plays dead.
fn ring(bench: &Bench, tag: u8) {
    let heard = || {
        let report = bench.report();
        report.submitted + report.protocol_errors
    };
    let before = heard();
    bench.ring(tag.into());
    let dead = bench.card.state().dead;
    assert!(dead || heard() > before, "tag {tag} was not heard");
}
