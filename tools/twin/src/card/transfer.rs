// SPDX-License-Identifier: GPL-2.0

//! Moving a command's data between host memory and the target.
//!
//! How much moves is the CDB's business; the descriptor only says where. Where the
//! two disagree, the card does the worst it might (hazard 2): it goes on past the
//! end of the last entry, unless the parameter `length-from` says otherwise. The
//! card moves whole 4-byte words, and now and then writes junk behind data-in
//! (hazard 1).

use super::bringup::Regions;
use super::dma::{Errand, NoDma};
use super::faults::Kind;
use super::odd::{self, Odd};
use super::params::{JunkAfter, LengthFrom, MOST_JUNK};
use super::state::Card;
use super::trace::field;
use super::wire::{Descriptor, ENTRY_LEN, Entry};
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

/// Length of the pieces in which a list is read: one 64-byte unit.
const LIST_PIECE: usize = 64;
/// Most entries of a list that the card looks at.
const MOST_ENTRIES: usize = 1 << 16;
/// Junk follows a transfer that does not end on a multiple of this.
const JUNK_BOUNDARY: u64 = 512;

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

/// Rounds up to whole words, as the card does.
fn words(length: u64) -> u64 {
    length.next_multiple_of(4)
}

impl Transfer<'_> {
    /// Brings `length` bytes from the host.
    pub fn fetch(&self, descriptor: &Descriptor, length: u64) -> Result<Vec<u8>, Short> {
        let pieces = self.plan(descriptor, length)?;
        let mut data = Vec::new();
        for piece in &pieces {
            self.dawdle(pieces.len());
            let from = data.len();
            data.resize(from + words(piece.length) as usize, 0);
            self.card
                .dma
                .read(self.errand, "data", piece.address, &mut data[from..])?;
            data.truncate(from + piece.length as usize);
        }
        if (data.len() as u64) < length {
            return Err(Short::Descriptor);
        }
        self.card.figures.lock().bytes_out += length;
        self.moved("data-out", &data, &pieces);
        Ok(data)
    }

    /// Takes data to the host, with the junk that comes with it.
    pub fn deliver(
        &self,
        descriptor: &Descriptor,
        data: &[u8],
        random: &mut ChaCha8Rng,
    ) -> Result<(), NoDma> {
        let pieces = self.plan(descriptor, data.len() as u64)?;
        let (mut rest, mut end) = (data, None);
        for piece in &pieces {
            self.dawdle(pieces.len());
            let (now, later) = rest.split_at((piece.length as usize).min(rest.len()));
            rest = later;
            if odd::is_lost(self.card.params().odd, piece.address) {
                continue;
            }
            if now.len() % 4 == 0 {
                self.card
                    .dma
                    .write(self.errand, "data", piece.address, now)?;
            } else {
                let mut padded = vec![0; words(piece.length) as usize];
                random.fill_bytes(&mut padded);
                padded[..now.len()].copy_from_slice(now);
                self.card
                    .dma
                    .write(self.errand, "data", piece.address, &padded)?;
            }
            end = piece.address.checked_add(words(piece.length));
        }
        self.card.figures.lock().bytes_in += (data.len() - rest.len()) as u64;
        self.moved("data-in", data, &pieces);
        if let (Some(Odd::ListNeverStops), Descriptor::List(index)) =
            (self.card.params().odd, descriptor)
        {
            self.go_on(*index, data.len() as u64, random)?;
        }
        end.map_or(Ok(()), |end| self.junk(end, random))
    }

    /// Takes the time of one piece of so many, unless the command is over.
    fn dawdle(&self, pieces: usize) {
        let until = Instant::now() + self.pace / pieces.max(1) as u32;
        while Instant::now() < until && self.card.state().era == self.errand.era {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hazard 1. That the host refuses it changes nothing for the command.
    fn junk(&self, end: u64, random: &mut ChaCha8Rng) -> Result<(), NoDma> {
        let params = &self.card.params();
        let mut length = params
            .overrun
            .unwrap_or_else(|| random.random_range(0..=params.junk));
        let clean = end % JUNK_BOUNDARY == 0 && params.junk_after == JunkAfter::Tail;
        if !clean && self.card.strikes(Kind::LongJunk).is_some() {
            length = MOST_JUNK;
        }
        if clean || length == 0 {
            return Ok(());
        }
        let mut junk = vec![0; length as usize];
        random.fill_bytes(&mut junk);
        self.card.trace.event("junk", |line| {
            field!(line, "tag={} addr={end:#012x} bytes={length}", self.tag)
        });
        match self.card.dma.write(self.errand, "junk", end, &junk) {
            Ok(()) => {
                self.card.figures.lock().junk_bytes += u64::from(length);
                Ok(())
            }
            Err(NoDma::Refused) => Ok(()),
            Err(NoDma::Gone) => Err(NoDma::Gone),
        }
    }

    /// Where `length` bytes go. Less, if the descriptor ends first and the card
    /// heeds it.
    fn plan(&self, descriptor: &Descriptor, length: u64) -> Result<Vec<Piece>, NoDma> {
        let entries = match *descriptor {
            Descriptor::None => vec![Entry {
                address: 0,
                words: 0,
            }],
            Descriptor::Direct(entry) => vec![entry],
            Descriptor::List(index) => self.list(index, length)?,
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
        if left > 0 {
            let what = format!("tag {}: CDB moves {left} bytes too many", self.tag);
            tracing::warn!("{what}");
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

    /// Reads a list as far as `length` needs it, or to the zero entry at its end.
    fn list(&self, index: u16, length: u64) -> Result<Vec<Entry>, NoDma> {
        let params = &self.card.params();
        // Whatever an index counts, the region is told in units of 64 bytes.
        let start = u64::from(index) * u64::from(params.list_unit);
        let region_len = u64::from(self.regions.list_units) * LIST_PIECE as u64;
        if start >= region_len {
            self.card
                .protocol_error(&format!("list index {index:#x} is beyond region E"));
        }
        let (mut at, mut entries, mut covered) = (start, Vec::new(), 0);
        while covered < length {
            let piece = region_len.saturating_sub(at).min(LIST_PIECE as u64) as usize;
            if piece < ENTRY_LEN || entries.len() >= MOST_ENTRIES {
                self.card
                    .protocol_error(&format!("tag {}: the list does not end", self.tag));
                break;
            }
            let mut raw = [0; LIST_PIECE];
            let address = self.regions.lists.saturating_add(at);
            self.card
                .dma
                .read(self.errand, "list", address, &mut raw[..piece])?;
            at += piece as u64;
            for raw in raw[..piece].chunks_exact(ENTRY_LEN) {
                let raw = <[u8; ENTRY_LEN]>::try_from(raw).unwrap_or_default();
                if raw == [0; ENTRY_LEN] {
                    return Ok(self.or_nowhere(entries));
                }
                let entry = Entry::decode(raw, params);
                self.trace_entry(entries.len(), &entry);
                covered += entry.bytes();
                entries.push(entry);
                if covered >= length {
                    break;
                }
            }
            if odd::is_short(params.odd) {
                break;
            }
        }
        Ok(self.or_nowhere(entries))
    }

    /// A list without entries leads to address 0, as a missing descriptor does.
    fn or_nowhere(&self, entries: Vec<Entry>) -> Vec<Entry> {
        if entries.is_empty() {
            vec![Entry {
                address: 0,
                words: 0,
            }]
        } else {
            entries
        }
    }

    fn trace_entry(&self, n: usize, entry: &Entry) {
        self.card.trace.event("entry", |line| {
            let bytes = entry.bytes();
            field!(
                line,
                "tag={} n={n} addr={:#012x} bytes={bytes}",
                self.tag,
                entry.address
            )
        });
    }

    fn moved(&self, kind: &str, data: &[u8], pieces: &[Piece]) {
        self.card.trace.event(kind, |line| {
            let (bytes, pieces) = (data.len(), pieces.len());
            field!(line, "tag={} bytes={bytes} pieces={pieces}", self.tag)
        });
    }
}
