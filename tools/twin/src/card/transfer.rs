// SPDX-License-Identifier: GPL-2.0

//! Moving a command's data between host memory and the target.
//!
//! How much moves is the CDB's business; the descriptor only says where. Where the
//! two disagree, the card does the worst it might (hazard 2): it goes on past the
//! end of the last entry, unless the parameter `length-from` says otherwise. The
//! card moves whole units of 8 bytes: what is behind the data in the last of them is
//! junk (hazard 1).

use super::dma::{Errand, NoDma};
use super::odd::{self, Odd};
use super::params::LengthFrom;
use super::referee;
use super::regions::Regions;
use super::state::Card;
use super::trace::field;
use super::wire::{Descriptor, ENTRY_LEN, Entry, Slot, UNIT_LEN, Unit};
use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

/// The card moves so many bytes at once.
const GRAIN: u64 = 8;

/// Why a transfer did not take place as a whole.
pub enum Short {
    /// A DMA came to nothing.
    Dma(NoDma),
    /// The descriptor covers less than what has to come from the host.
    Descriptor,
}

impl From<NoDma> for Short {
    fn from(why: NoDma) -> Short {
        Short::Dma(why)
    }
}

/// One command's data movement.
pub struct Transfer<'a> {
    pub card: &'a Card,
    pub errand: Errand,
    pub regions: &'a Regions,
    pub tag: u16,
    /// How long it takes.
    pub pace: Duration,
}

/// A contiguous piece of host memory, and how much of the data goes there.
struct Piece {
    address: u64,
    length: u64,
}

impl Piece {
    fn whole(&self) -> u64 {
        self.length.next_multiple_of(GRAIN)
    }
}

impl Transfer<'_> {
    /// Brings `length` bytes from the host.
    pub fn fetch(
        &self,
        slot: &Slot,
        descriptor: &Descriptor,
        length: u64,
    ) -> Result<Vec<u8>, Short> {
        let pieces = self.plan(slot, descriptor, length)?;
        let mut data = Vec::new();
        for piece in &pieces {
            self.dawdle(pieces.len());
            let from = data.len();
            data.resize(from + piece.whole() as usize, 0);
            let to = &mut data[from..];
            self.card.dma.read(self.errand, "data", piece.address, to)?;
            data.truncate(from + piece.length as usize);
        }
        if (data.len() as u64) < length {
            return Err(Short::Descriptor);
        }
        self.card.figures.lock().bytes_out += length;
        self.moved("data-out", &data, &pieces);
        Ok(data)
    }

    /// Takes data to the host.
    pub fn deliver(
        &self,
        slot: &Slot,
        descriptor: &Descriptor,
        data: &[u8],
        random: &mut ChaCha8Rng,
    ) -> Result<(), NoDma> {
        let mut pieces = self.plan(slot, descriptor, data.len() as u64)?;
        if self.card.params().odd == Some(Odd::TailLost) && pieces.len() > 1 {
            pieces.pop();
        }
        let mut rest = data;
        for piece in &pieces {
            self.dawdle(pieces.len());
            let (now, later) = rest.split_at((piece.length as usize).min(rest.len()));
            rest = later;
            let mut whole = now.to_vec();
            if now.len() as u64 != piece.whole() {
                whole.resize(piece.whole() as usize, 0);
                random.fill_bytes(&mut whole[now.len()..]);
                self.card.figures.lock().junk_bytes += (whole.len() - now.len()) as u64;
            }
            let at = piece.address;
            self.card.dma.write(self.errand, "data", at, &whole)?;
        }
        self.card.figures.lock().bytes_in += (data.len() - rest.len()) as u64;
        self.moved("data-in", data, &pieces);
        Ok(())
    }

    /// Takes the time of one piece of so many, unless the command is over.
    fn dawdle(&self, pieces: usize) {
        let until = Instant::now() + self.pace / pieces.max(1) as u32;
        let goes_on = || {
            let state = self.card.state();
            let command = state.in_flight.get(&self.tag);
            command.is_some_and(|it| it.sequence == self.errand.sequence && !it.hurry)
        };
        while Instant::now() < until && goes_on() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where `length` bytes go. Less, if the descriptor ends first and the card
    /// heeds it, or leads nowhere.
    fn plan(&self, slot: &Slot, descriptor: &Descriptor, length: u64) -> Result<Vec<Piece>, NoDma> {
        let entries = match *descriptor {
            Descriptor::None => Vec::new(),
            Descriptor::InPlace(entry) => {
                if let Some(line) = referee::entry_in_place(&entry, slot) {
                    self.complain(&line);
                }
                vec![self.follow(0, entry)]
            }
            Descriptor::List(index) => self.list(index)?,
        };
        let (mut pieces, mut left) = (Vec::with_capacity(entries.len()), length);
        for entry in &entries {
            let length = entry.bytes().min(left);
            left -= length;
            pieces.push(Piece {
                address: entry.address,
                length,
            });
        }
        if left > 0 && !entries.is_empty() {
            tracing::warn!("tag {}: CDB moves {left} bytes too many", self.tag);
            self.card.figures.lock().overruns += 1;
            self.card
                .trace
                .event("overrun", |line| field!(line, "tag={} by={left}", self.tag));
            if let (LengthFrom::Cdb, Some(last)) =
                (self.card.params().length_from, pieces.last_mut())
            {
                last.length += left;
            }
        }
        pieces.retain(|piece| piece.length > 0);
        Ok(pieces)
    }

    /// Reads a list, unit by unit, to its end.
    fn list(&self, first: u16) -> Result<Vec<Entry>, NoDma> {
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        let mut index = first;
        loop {
            if u32::from(index) >= self.regions.list_units {
                let units = self.regions.list_units;
                self.complain(&format!("list unit {index} is not one of {units}"));
                return Ok(entries);
            }
            if !seen.insert(index) {
                self.complain(&format!("the list comes back to unit {index}"));
                return Ok(entries);
            }
            let mut unit = Unit([0; UNIT_LEN]);
            let at = self.regions.unit(index);
            self.card.dma.read(self.errand, "list", at, &mut unit.0)?;
            for line in referee::unit(&unit, index) {
                self.complain(&line);
            }
            for raw in unit.entries().take_while(|raw| *raw != [0; ENTRY_LEN]) {
                entries.push(self.follow(entries.len(), Entry::decode(raw)));
            }
            index = unit.link();
            if index == 0 || self.card.params().odd == Some(Odd::ListFirstUnitOnly) {
                break;
            }
        }
        if entries.is_empty() {
            self.complain("a list without an entry");
        }
        Ok(entries)
    }

    /// An entry as the card follows it.
    fn follow(&self, n: usize, entry: Entry) -> Entry {
        self.card.trace.event("entry", |line| {
            let (tag, at, bytes) = (self.tag, entry.address, entry.bytes());
            field!(line, "tag={tag} n={n} addr={at:#012x} bytes={bytes}")
        });
        Entry {
            address: odd::address(self.card.params().odd, entry.address),
            ..entry
        }
    }

    fn complain(&self, what: &str) {
        self.card
            .protocol_error(&format!("tag {}: {what}", self.tag));
    }

    fn moved(&self, kind: &str, data: &[u8], pieces: &[Piece]) {
        self.card.trace.event(kind, |line| {
            let (bytes, pieces) = (data.len(), pieces.len());
            field!(line, "tag={} bytes={bytes} pieces={pieces}", self.tag)
        });
    }
}
