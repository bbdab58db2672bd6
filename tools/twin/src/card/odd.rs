// SPDX-License-Identifier: GPL-2.0

//! Odd cards: those that are not like any that a driver could work with, each in one
//! way. A driver has to find them out before it trusts them, and to leave them alone.

use super::dma::NoDma;
use super::transfer::Transfer;
use super::wire::{ENTRY_LEN, Entry};
use clap::ValueEnum;
use rand::RngCore;
use rand_chacha::ChaCha8Rng;

/// In which way a card is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Odd {
    /// It does not heed the end of a list, nor of the data: every entry behind gets junk.
    ListNeverStops,
    /// Data comes 16 KiB behind where an entry leads.
    WrongBuffer,
    /// Of an address in an entry only 32 bits count; harmless without memory above 4 GiB.
    ///
    /// Data for memory above is lost: what it would overwrite instead is spared, because the
    /// test's own machine is there.
    #[value(name = "truncate32")]
    Truncate32,
    /// The words of its registers are little-endian.
    ByteSwapped,
    /// INQUIRY brings random bytes.
    InquiryNonsense,
    /// The mailbox is a ring of 16-bit words, each for one submission.
    MailboxRing,
    /// It answers no more commands than the completion ring has entries.
    Stalls,
    /// Of the count of an entry's words only the lowest byte is seen.
    ByteCount,
    /// A list has no more entries than a unit of 64 bytes.
    ShortLists,
    /// The entries of the completion ring lie 64 bytes apart.
    LongRing,
    /// It stays with the regions of the first handshake, though it says that it is ready.
    FirstRegions,
}

/// Words of the mailbox that is a ring.
const MAILBOX_WORDS: u32 = 64;

/// Most entries behind the end of a list that the card does not heed.
const MOST_BEHIND: usize = 1 << 12;

/// What the name of an oddity, or `none`, stands for; nothing if it is neither.
pub fn parse(name: &str) -> Option<Option<Odd>> {
    match name {
        "none" => Some(None),
        name => Odd::from_str(name, false).ok().map(Some),
    }
}

/// Each oddity's name, and what it is.
pub fn names() -> impl Iterator<Item = (String, String)> {
    Odd::value_variants().iter().filter_map(|odd| {
        let value = odd.to_possible_value()?;
        let about = value.get_help().map(ToString::to_string);
        Some((value.get_name().to_owned(), about.unwrap_or_default()))
    })
}

/// Where an entry leads that says `address`.
pub fn address(odd: Option<Odd>, address: u64) -> u64 {
    match odd {
        Some(Odd::WrongBuffer) => address + 0x4000,
        _ => address,
    }
}

/// Whether data for this address is lost.
pub fn is_lost(odd: Option<Odd>, address: u64) -> bool {
    odd == Some(Odd::Truncate32) && address >> 32 != 0
}

/// Where the tag of the next submission stands.
pub fn mailbox(odd: Option<Odd>, mailbox: u32, taken: u32) -> u32 {
    match odd {
        Some(Odd::MailboxRing) => mailbox + taken % MAILBOX_WORDS * 2,
        _ => mailbox,
    }
}

/// Whether the card answers no more, with that entry of the ring to be written next.
pub fn stalls(odd: Option<Odd>, ring_next: u32, ring_entries: u32) -> bool {
    odd == Some(Odd::Stalls) && ring_next + 1 >= ring_entries
}

/// What is seen of the count of an entry's words.
pub fn count(odd: Option<Odd>, words: u32) -> u32 {
    match odd {
        Some(Odd::ByteCount) => words & 0xff,
        _ => words,
    }
}

/// Whether a list ends with the first unit.
pub fn is_short(odd: Option<Odd>) -> bool {
    odd == Some(Odd::ShortLists)
}

/// How far apart entries of the completion ring lie that are so long.
pub fn ring_stride(odd: Option<Odd>, len: usize) -> u64 {
    match odd {
        Some(Odd::LongRing) => 64,
        _ => len as u64,
    }
}

/// What becomes of data on its way.
pub fn garble(odd: Option<Odd>, cdb: &[u8; 16], data: &mut [u8], random: &mut ChaCha8Rng) {
    if odd == Some(Odd::InquiryNonsense) && cdb[0] == 0x12 {
        random.fill_bytes(data);
    }
}

impl Transfer<'_> {
    /// Writes junk wherever the entries of region E lead that come behind those for
    /// `length` bytes.
    pub(super) fn go_on(
        &self,
        index: u16,
        length: u64,
        random: &mut ChaCha8Rng,
    ) -> Result<(), NoDma> {
        let params = self.card.params();
        let mut at = u64::from(index) * u64::from(params.list_unit);
        let end = u64::from(self.regions.list_units) * 64;
        let (mut covered, mut behind) = (0, 0);
        while at + ENTRY_LEN as u64 <= end && behind < MOST_BEHIND {
            let mut raw = [0; ENTRY_LEN];
            let list = self.regions.lists.saturating_add(at);
            self.card.dma.read(self.errand, "list", list, &mut raw)?;
            at += ENTRY_LEN as u64;
            let entry = Entry::decode(raw, &params);
            if covered < length {
                covered += entry.bytes();
                continue;
            }
            behind += 1;
            let mut junk = vec![0; entry.bytes().min(64) as usize];
            random.fill_bytes(&mut junk);
            self.card
                .dma
                .write(self.errand, "junk", entry.address, &junk)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_explained() {
        for (name, about) in names() {
            assert!(matches!(parse(&name), Some(Some(_))), "{name}");
            assert!(!about.is_empty(), "{name}");
        }
        assert_eq!(parse("truncate32"), Some(Some(Odd::Truncate32)));
        assert_eq!(parse("list-never-stops"), Some(Some(Odd::ListNeverStops)));
        assert_eq!(parse("none"), Some(None));
        assert_eq!(parse("even"), None);
    }

    #[test]
    fn only_the_odd_are_odd() {
        assert_eq!(address(None, 0x1_2345_6000), 0x1_2345_6000);
        assert_eq!(
            address(Some(Odd::WrongBuffer), 0x1_2345_6000),
            0x1_2345_a000
        );
        assert!(!is_lost(None, 1 << 32) && !is_lost(Some(Odd::Truncate32), 1));
        assert!(is_lost(Some(Odd::Truncate32), 1 << 32));
        assert_eq!(mailbox(None, 0x174, 3), 0x174);
        assert_eq!(mailbox(Some(Odd::MailboxRing), 0x174, 3), 0x17a);
        assert_eq!(count(None, 0x10203), 0x10203);
        assert_eq!(count(Some(Odd::ByteCount), 0x10203), 3);
        assert!(!is_short(None) && is_short(Some(Odd::ShortLists)));
        assert_eq!(ring_stride(None, 4), 4);
        assert_eq!(ring_stride(Some(Odd::LongRing), 4), 64);
        assert!(!stalls(None, 128, 129) && stalls(Some(Odd::Stalls), 128, 129));
    }
}
