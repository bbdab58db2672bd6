// SPDX-License-Identifier: GPL-2.0

//! What nobody knows about the card, as one struct.
//!
//! Every statement of the hardware document that is only assumed (A) is a
//! parameter here, so that a driver can be tried against a card that behaves
//! otherwise. All are set as `KEY=VALUE`; [`KEYS`] is the whole vocabulary.

use super::faults::{Plan, PlanError};
use super::odd::{self, Odd};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How a slot's bytes 4..7 name the LUN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LunEncoding {
    /// A big-endian u32 in bytes 4..7.
    U32,
    /// A big-endian u16 in bytes 4..5.
    U16,
}

/// What a write to the SCSI submit doorbell (0x40) means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doorbell {
    /// A counter: only a write of the last value + 1 submits a command.
    Counter,
    /// Any write submits a command; the register goes on reading the same value.
    Constant,
}

/// Format of the entries of the completion ring (region C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingFormat {
    /// The card never writes the ring.
    None,
    /// A big-endian u16 tag.
    Tag16,
    /// A big-endian u32 tag.
    Tag32,
}

/// Where the card takes a transfer's length from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthFrom {
    /// From the CDB: a transfer that is longer than what the descriptor covers
    /// runs on past the end of the last entry (hazard 2, the worst case).
    Cdb,
    /// From the CDB, but never past the end of the descriptor.
    Descriptor,
}

/// Which data-in transfers junk follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JunkAfter {
    /// Those that do not end on a 512-byte boundary (hazard 1).
    Tail,
    /// All of them. No driver can stand that: it is there to show that a test which
    /// looks for junk would find some.
    Any,
}

/// The card's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardParams {
    /// What a list index counts, in bytes (64 or 8).
    pub list_unit: u32,
    /// Distance of two tags' responses in region F, in bytes.
    pub response_stride: u32,
    /// Encoding of the LUN in a slot.
    pub lun_encoding: LunEncoding,
    /// Meaning of the SCSI submit doorbell.
    pub doorbell: Doorbell,
    /// Width of an entry's word count, in bits (24 or 16).
    pub entry_count: u32,
    /// Junk past the end of a data-in transfer: at most this many bytes, a seeded
    /// random number of them for each transfer (hazard 1).
    pub junk: u32,
    /// Junk past the end of a data-in transfer: always exactly this many bytes.
    /// Goes before `junk`.
    pub overrun: Option<u32>,
    /// Which transfers junk follows.
    pub junk_after: JunkAfter,
    /// Format of the completion ring.
    pub ring: RingFormat,
    /// Source of a transfer's length.
    pub length_from: LengthFrom,
    /// From the configuration doorbell to "ready".
    pub bring_up_delay: Duration,
    /// Seed of everything that is random.
    pub seed: u64,
    /// Threads that execute commands.
    pub workers: usize,
    /// Most time that a command is held back before it runs (seeded random).
    pub delay: Duration,
    /// Most SCSI commands (register 0xb4).
    pub commands: u32,
    /// Offset in BAR0 of the SCSI submit mailbox (registers 0xc4, 0xc8).
    pub mailbox: u32,
    /// The host's resets do not reach the card, as in kexec: it goes on as it was. A
    /// handshake leaves pending what is pending, and no interrupt comes of that.
    pub left_running: bool,
    /// What goes wrong.
    pub faults: Plan,
    /// In which way the card is none that a driver could work with.
    pub odd: Option<Odd>,
}

impl Default for CardParams {
    fn default() -> Self {
        CardParams {
            list_unit: 64,
            response_stride: 64,
            lun_encoding: LunEncoding::U32,
            doorbell: Doorbell::Counter,
            entry_count: 24,
            junk: 16,
            overrun: None,
            junk_after: JunkAfter::Tail,
            ring: RingFormat::Tag32,
            length_from: LengthFrom::Cdb,
            bring_up_delay: Duration::from_millis(20),
            seed: 1,
            workers: 4,
            delay: Duration::ZERO,
            commands: 128,
            mailbox: 0x174,
            left_running: false,
            faults: Plan::default(),
            odd: None,
        }
    }
}

/// One key of the vocabulary.
#[derive(Clone, Copy)]
pub struct Key {
    /// The key's stable name.
    pub name: &'static str,
    /// The values it takes, for people.
    pub values: &'static str,
    /// What it changes.
    pub about: &'static str,
    set: fn(&mut CardParams, &str) -> Option<()>,
}

/// Most junk bytes that hazard 1 is made of, unless it is said exactly how many.
pub(super) const MOST_JUNK: u32 = 512;

/// Most of them where it is said exactly how many: what a driver can leave no room for.
const MOST_OVERRUN: u32 = 16 * 1024;

/// The key of faults: there are too many for a list of its values.
const FAULT: &str = "fault";

/// Every key that [`CardParams::set`] knows.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    Key { name: "list-unit", values: "8|16|64|512", about: "bytes that a list index counts",
        set: |p, v| one_of(v, &[8, 16, 64, 512]).map(|n| p.list_unit = n) },
    Key { name: "response-stride", values: "32|48|64|128|256|512|1024", about: "bytes from one tag's response to the next",
        set: |p, v| one_of(v, &[32, 48, 64, 128, 256, 512, 1024]).map(|n| p.response_stride = n) },
    Key { name: "lun-encoding", values: "u32|u16", about: "the LUN in bytes 4..7 or 4..5 of a slot",
        set: |p, v| named(v, &[("u32", LunEncoding::U32), ("u16", LunEncoding::U16)]).map(|e| p.lun_encoding = e) },
    Key { name: "doorbell", values: "counter|constant", about: "0x40 counts, or any write to it submits",
        set: |p, v| named(v, &[("counter", Doorbell::Counter), ("constant", Doorbell::Constant)]).map(|d| p.doorbell = d) },
    Key { name: "entry-count", values: "24|16", about: "bits of an entry's word count",
        set: |p, v| one_of(v, &[16, 24]).map(|n| p.entry_count = n) },
    Key { name: "junk", values: "0..=512", about: "at most so many junk bytes after a data-in transfer that does not end on 512",
        set: |p, v| up_to(v, MOST_JUNK).map(|n| { p.junk = n; p.overrun = None; }) },
    Key { name: "overrun", values: "0..=16384", about: "exactly so many junk bytes (junk-exact is the same key)",
        set: |p, v| up_to(v, MOST_OVERRUN).map(|n| p.overrun = Some(n)) },
    Key { name: "junk-exact", values: "0..=16384", about: "see overrun",
        set: |p, v| up_to(v, MOST_OVERRUN).map(|n| p.overrun = Some(n)) },
    Key { name: "junk-after", values: "tail|any", about: "junk where a transfer does not end on 512, or (beyond every driver) always",
        set: |p, v| named(v, &[("tail", JunkAfter::Tail), ("any", JunkAfter::Any)]).map(|j| p.junk_after = j) },
    Key { name: "ring", values: "none|tag16|tag32", about: "entries of the completion ring",
        set: |p, v| named(v, &[("none", RingFormat::None), ("tag16", RingFormat::Tag16), ("tag32", RingFormat::Tag32)]).map(|r| p.ring = r) },
    Key { name: "length-from", values: "cdb|descriptor", about: "a transfer runs past the end of its descriptor, or stops there",
        set: |p, v| named(v, &[("cdb", LengthFrom::Cdb), ("descriptor", LengthFrom::Descriptor)]).map(|l| p.length_from = l) },
    Key { name: "bring-up-delay", values: "MILLISECONDS", about: "from the configuration doorbell to ready",
        set: |p, v| up_to(v, 600_000).map(|n| p.bring_up_delay = Duration::from_millis(n.into())) },
    Key { name: "seed", values: "NUMBER", about: "seed of junk, delays and faults",
        set: |p, v| v.parse().ok().map(|n| p.seed = n) },
    Key { name: "workers", values: "1..=64", about: "threads that execute commands",
        set: |p, v| up_to(v, 64).filter(|n| *n > 0).map(|n| p.workers = n as usize) },
    Key { name: "delay-us", values: "MICROSECONDS", about: "at most so long is a command held back (random)",
        set: |p, v| up_to(v, 60_000_000).map(|n| p.delay = Duration::from_micros(n.into())) },
    Key { name: "commands", values: "1..=4096", about: "most SCSI commands (register 0xb4)",
        set: |p, v| up_to(v, 4096).filter(|n| *n > 0).map(|n| p.commands = n) },
    Key { name: "mailbox", values: "OFFSET", about: "where the SCSI submit mailbox lies (even, 0x150..=0xffffe)",
        set: |p, v| number(v).filter(|n| *n % 2 == 0 && (0x150..=0xffffe).contains(n)).map(|n| p.mailbox = n) },
    Key { name: "left-running", values: "no|yes", about: "no reset reaches the card, and what it left pending stays so",
        set: |p, v| named(v, &[("no", false), ("yes", true)]).map(|l| p.left_running = l) },
    Key { name: FAULT, values: "NAME[:[N][xMOST][@WHERE]]|chaos|none", about: "what goes wrong; may be repeated (`tools/vm faults` lists the names)",
        set: |p, v| p.faults.add(v).ok() },
    Key { name: "odd", values: "none|NAME (see `tools/vm settings`)", about: "in which way a driver has to refuse the card",
        set: |p, v| odd::parse(v).map(|odd| p.odd = odd) },
];

/// The whole vocabulary, for people: a line for each key, and for each name of an odd card.
pub fn vocabulary() -> String {
    let mut text = String::from("Settings of the card:\n");
    for key in KEYS {
        let setting = format!("{}={}", key.name, key.values);
        text.push_str(&format!("  {setting:<42} {}\n", key.about));
    }
    text.push_str("\nOdd cards, which a driver has to refuse:\n");
    for (name, about) in odd::names() {
        text.push_str(&format!("  odd={name:<38} {about}\n"));
    }
    text
}

/// Why a `KEY=VALUE` was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The text is not `KEY=VALUE`.
    #[error("{0:?} is not KEY=VALUE; keys: {list}", list = Vocabulary)]
    Shape(String),
    /// No such key.
    #[error("no key {0:?}; keys: {list}", list = Vocabulary)]
    Key(String),
    /// The key does not take this value.
    #[error("{key} takes {values}, not {value:?}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it takes.
        values: &'static str,
        /// What was given.
        value: String,
    },
    /// What is to go wrong is not known, or not well put.
    #[error(transparent)]
    Fault(#[from] PlanError),
}

/// Prints every key with its values.
struct Vocabulary;

impl fmt::Display for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, key) in KEYS.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{}={}", key.name, key.values)?;
        }
        Ok(())
    }
}

impl CardParams {
    /// Sets one parameter from `KEY=VALUE`.
    pub fn set(&mut self, setting: &str) -> Result<(), ConfigError> {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| ConfigError::Shape(setting.to_owned()))?;
        let key = KEYS
            .iter()
            .find(|key| key.name == name)
            .ok_or_else(|| ConfigError::Key(name.to_owned()))?;
        if (key.set)(self, value).is_some() {
            return Ok(());
        }
        if key.name == FAULT {
            Plan::default().add(value)?;
        }
        Err(ConfigError::Value {
            key: key.name,
            values: key.values,
            value: value.to_owned(),
        })
    }
}

impl FromStr for CardParams {
    type Err = ConfigError;

    /// Settings with blanks or commas between them, over the default card.
    fn from_str(settings: &str) -> Result<Self, ConfigError> {
        let mut params = CardParams::default();
        for setting in settings.split([' ', ',']).filter(|part| !part.is_empty()) {
            params.set(setting)?;
        }
        Ok(params)
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn up_to(text: &str, most: u32) -> Option<u32> {
    number(text).filter(|n| *n <= most)
}

fn one_of(text: &str, choices: &[u32]) -> Option<u32> {
    number(text).filter(|n| choices.contains(n))
}

fn named<T: Copy>(text: &str, choices: &[(&str, T)]) -> Option<T> {
    choices
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_reaches_its_field() {
        let params: CardParams = "list-unit=8 response-stride=128 lun-encoding=u16 \
            doorbell=constant entry-count=16 junk=64 junk-after=any ring=none length-from=descriptor \
            bring-up-delay=5 seed=7 workers=2 delay-us=100 commands=60 mailbox=0x200 left-running=yes \
            odd=truncate32"
            .parse()
            .unwrap();
        assert_eq!(
            params,
            CardParams {
                list_unit: 8,
                response_stride: 128,
                lun_encoding: LunEncoding::U16,
                doorbell: Doorbell::Constant,
                entry_count: 16,
                junk: 64,
                overrun: None,
                junk_after: JunkAfter::Any,
                ring: RingFormat::None,
                length_from: LengthFrom::Descriptor,
                bring_up_delay: Duration::from_millis(5),
                seed: 7,
                workers: 2,
                delay: Duration::from_micros(100),
                commands: 60,
                mailbox: 0x200,
                left_running: true,
                faults: Plan::default(),
                odd: Some(Odd::Truncate32),
            }
        );
        let exact: CardParams = "junk-exact=64".parse().unwrap();
        assert_eq!(exact.overrun, Some(64));
    }

    #[test]
    fn errors_say_what_would_be_right() {
        let mut params = CardParams::default();
        let unknown = params.set("colour=red").unwrap_err().to_string();
        assert!(
            unknown.contains("list-unit=8|16|64|512") && unknown.contains("delay-us"),
            "{unknown}"
        );
        let value = params.set("ring=big").unwrap_err().to_string();
        assert_eq!(value, "ring takes none|tag16|tag32, not \"big\"");
        let odd = params.set("odd=strange").unwrap_err().to_string();
        assert!(odd.contains("`tools/vm settings`"), "{odd}");
        let fault = params.set("fault=nonsense").unwrap_err().to_string();
        assert!(fault.starts_with("no fault \"nonsense\"; faults: chaos, lost-interrupt, "));
        let fault = params.set("fault=busy:often").unwrap_err().to_string();
        assert_eq!(fault, "\"often\" is not [N][xMOST][@WHERE]");
        assert!(params.set("junk").is_err() && params.set("junk=513").is_err());
        assert_eq!(params, CardParams::default());
    }
}
