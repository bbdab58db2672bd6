// SPDX-License-Identifier: GPL-2.0

//! Odd cards: those that are not like any that a driver could work with, each in one
//! way. A driver has to find them out before it trusts them, and to leave them alone.

use clap::ValueEnum;
use rand::RngCore;
use rand_chacha::ChaCha8Rng;

/// In which way a card is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Odd {
    /// Data comes 16 KiB behind where an entry leads.
    WrongBuffer,
    /// The words of its registers are little-endian.
    ByteSwapped,
    /// INQUIRY brings random bytes.
    InquiryNonsense,
    /// A write of the submit index submits one tag, however far the index went.
    NoBatch,
    /// It does not follow the link of a list's first unit.
    ListFirstUnitOnly,
    /// Every LUN answers as LUN 0.
    LunIgnored,
    /// Of a list's last entry the bytes do not come.
    TailLost,
    /// It never answers a task management request.
    NoTasks,
    /// It answers nothing.
    Mute,
    /// It takes the first word of the submit ring each time.
    PlainMailbox,
    /// It stays with the regions of the first handshake, though it says that it is ready.
    FirstRegions,
}

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

/// What becomes of data on its way.
pub fn garble(odd: Option<Odd>, cdb: &[u8; 16], data: &mut [u8], random: &mut ChaCha8Rng) {
    if odd == Some(Odd::InquiryNonsense) && cdb[0] == 0x12 {
        random.fill_bytes(data);
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
        assert_eq!(
            parse("list-first-unit-only"),
            Some(Some(Odd::ListFirstUnitOnly))
        );
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
    }
}
