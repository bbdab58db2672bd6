// SPDX-License-Identifier: GPL-2.0

//! What a host does that makes no sense, made from bytes.

use super::super::bench::REGIONS;
use super::super::params::{CardParams, Inline, LengthFrom, ListFlag};
use super::super::wire::{ENTRY_LEN, SLOT_LEN};
use super::Cdb;
use arbitrary::{Arbitrary, Unstructured};
use std::time::Duration;

/// Memory for data, besides the regions: address, length, whether the card may write it.
/// The last piece is beyond the card's window.
pub(super) const MEMORY: [(u64, usize, bool); 4] = [
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
    pub(super) card: CardParams,
    pub(super) steps: Vec<Step>,
}

/// One thing that a host does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Lets the card execute the next command.
    Work,
    /// Fills a slot: a command of this tag, whatever it is.
    Slot {
        tag: u8,
        lun: u8,
        cdb: Cdb,
        descriptor: [u8; ENTRY_LEN],
    },
    /// Fills a slot: task management.
    Task { tag: u8, function: u8, victim: u8 },
    /// Fills a slot with these very bytes.
    RawSlot { tag: u8, raw: [u8; SLOT_LEN] },
    /// Fills an entry of the list units, or a link.
    Entry {
        unit: u8,
        at: u8,
        entry: [u8; ENTRY_LEN],
    },
    /// Fills other memory.
    Poke { address: u64, data: [u8; 8] },
    /// Submits a tag.
    Ring { tag: u8 },
    /// Takes what completed.
    Take,
    /// Submits the management frame.
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
pub(super) enum Fate {
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
pub(super) struct Data {
    bytes: [u8; 8],
    pub(super) width: usize,
}

impl Data {
    pub(super) fn bytes(&self) -> &[u8] {
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
        0 => near(REGIONS.requests),
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
        Ok(match u.arbitrary::<u8>()? % 18 {
            0..3 => Step::Work,
            3 => Step::RawSlot {
                tag: tag(u)?,
                raw: u.arbitrary()?,
            },
            4..7 => Step::Slot {
                tag: tag(u)?,
                // Mostly the one that has a volume.
                lun: match u.arbitrary()? {
                    0..0xe0u8 => 0,
                    _ => u.arbitrary()?,
                },
                cdb: u.arbitrary()?,
                descriptor: entry(u)?,
            },
            16 => Step::Task {
                tag: tag(u)?,
                function: u.arbitrary()?,
                victim: tag(u)?,
            },
            17 => Step::Take,
            7 => Step::Entry {
                unit: u.arbitrary::<u8>()? % 8,
                at: u.arbitrary::<u8>()? % 8,
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
    let [choices, inline, flag, slots] = u.arbitrary::<[u8; 4]>()?;
    let bit = |n: u8| (choices >> n) & 1 != 0;
    Ok(CardParams {
        length_from: match bit(0) {
            true => LengthFrom::Descriptor,
            false => LengthFrom::Cdb,
        },
        stall: !bit(1),
        batch: !bit(2),
        reset_indices: bit(3),
        late_answers: false,
        inline: [Inline::Seed, Inline::Fits, Inline::Never][usize::from(inline % 3)],
        list_flag: [ListFlag::Clear, ListFlag::Set, ListFlag::Any][usize::from(flag % 3)],
        slots: 128 - u32::from(slots % 128),
        init: Duration::ZERO,
        ready: Duration::ZERO,
        enable: Duration::ZERO,
        ..CardParams::default()
    })
}
