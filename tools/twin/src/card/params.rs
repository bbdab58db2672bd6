// SPDX-License-Identifier: GPL-2.0

//! What a card may be like, as one struct.
//!
//! What the hardware document only assumes (A) is a parameter here, and its default is the
//! worst that a correct driver can stand. All are set as `KEY=VALUE`; [`KEYS`] is the whole
//! vocabulary.

mod values;

use super::faults::{Plan, PlanError};
use super::odd::{self, Odd};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use values::{milliseconds, named, up_to, yes};

/// Where the card takes a transfer's length from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthFrom {
    /// From the CDB: a transfer that is longer than what the descriptor covers
    /// runs on past the end of the last entry (hazard 2, the worst case).
    Cdb,
    /// From the CDB, but never past the end of the descriptor.
    Descriptor,
}

/// When data-in comes inside the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Never.
    Never,
    /// Whenever it fits.
    Fits,
    /// Where it fits, when the seed says so.
    Seed,
}

/// What bit 0 of a slot's byte 1 has to be with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFlag {
    /// Clear: the bit says that the descriptor is an entry in place.
    Clear,
    /// Set, as the article shows it.
    Set,
    /// The card does not look.
    Any,
}

/// The card's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardParams {
    /// Seed of everything that is random.
    pub seed: u64,
    /// Threads that execute commands.
    pub workers: usize,
    /// Most time that a command is held back before it runs (seeded random).
    pub delay: Duration,
    /// From power-on to state 2.
    pub init: Duration,
    /// From the flag in 0x2c to 0x5d.
    pub ready: Duration,
    /// From there to state 4.
    pub enable: Duration,
    /// Source of a transfer's length.
    pub length_from: LengthFrom,
    /// Whether data-in comes inside the response.
    pub inline: Inline,
    /// LUN 0 is the card's own unit.
    pub lun0_card: bool,
    /// A handshake sets 0x40, 0x48 and 0x4c to 0.
    pub reset_indices: bool,
    /// Commands that a handshake finds in flight are answered after it, and not forgotten.
    pub late_answers: bool,
    /// What byte 1 has to be with a list.
    pub list_flag: ListFlag,
    /// Victims of functions 2, 4 and 8 turn up in the ring.
    pub victims_ring: bool,
    /// The card completes nothing while its ring is full.
    pub stall: bool,
    /// One write of 0x40 may submit several tags.
    pub batch: bool,
    /// Tags below may have lists.
    pub lists: u32,
    /// Most SCSI slots (register 0xb4).
    pub slots: u32,
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
            seed: 1,
            workers: 4,
            delay: Duration::ZERO,
            init: Duration::from_millis(20),
            ready: Duration::from_millis(20),
            enable: Duration::from_millis(5),
            length_from: LengthFrom::Cdb,
            inline: Inline::Seed,
            lun0_card: false,
            reset_indices: false,
            late_answers: true,
            list_flag: ListFlag::Clear,
            victims_ring: false,
            stall: true,
            batch: true,
            lists: 60,
            slots: 128,
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

/// The key of faults: there are too many for a list of its values.
const FAULT: &str = "fault";

/// Every key that [`CardParams::set`] knows.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    Key { name: "seed", values: "NUMBER", about: "seed of junk, delays and faults",
        set: |p, v| v.parse().ok().map(|n| p.seed = n) },
    Key { name: "workers", values: "1..=64", about: "threads that execute commands",
        set: |p, v| up_to(v, 64).filter(|n| *n > 0).map(|n| p.workers = n as usize) },
    Key { name: "delay-us", values: "MICROSECONDS", about: "at most so long is a command held back (random)",
        set: |p, v| up_to(v, 60_000_000).map(|n| p.delay = Duration::from_micros(n.into())) },
    Key { name: "init-ms", values: "0..=600000", about: "from power-on to state 2: half in state 0, half in state 15",
        set: |p, v| milliseconds(v).map(|t| p.init = t) },
    Key { name: "ready-ms", values: "0..=600000", about: "from the flag in 0x2c to 0x5d and state 3",
        set: |p, v| milliseconds(v).map(|t| p.ready = t) },
    Key { name: "enable-ms", values: "0..=600000", about: "from state 3 to state 4",
        set: |p, v| milliseconds(v).map(|t| p.enable = t) },
    Key { name: "length-from", values: "cdb|descriptor", about: "a transfer runs past the end of its descriptor, or stops there",
        set: |p, v| named(v, &[("cdb", LengthFrom::Cdb), ("descriptor", LengthFrom::Descriptor)]).map(|l| p.length_from = l) },
    Key { name: "inline", values: "seed|never|fits", about: "data-in of at most 24 bytes comes inside the response",
        set: |p, v| named(v, &[("never", Inline::Never), ("fits", Inline::Fits), ("seed", Inline::Seed)]).map(|i| p.inline = i) },
    Key { name: "lun0", values: "disk|card", about: "LUN 0 is a volume, or the card's own unit with volumes from LUN 1 on",
        set: |p, v| named(v, &[("disk", false), ("card", true)]).map(|c| p.lun0_card = c) },
    Key { name: "indices", values: "keep|reset", about: "a handshake leaves 0x40, 0x48 and 0x4c as they are, or sets them to 0",
        set: |p, v| named(v, &[("keep", false), ("reset", true)]).map(|r| p.reset_indices = r) },
    Key { name: "old-commands", values: "late|forget", about: "what a handshake finds in flight is answered 20 ms after it, or never",
        set: |p, v| named(v, &[("late", true), ("forget", false)]).map(|l| p.late_answers = l) },
    Key { name: "list-flag", values: "clear|set|any", about: "what bit 0 of a slot's byte 1 has to be with a list",
        set: |p, v| named(v, &[("clear", ListFlag::Clear), ("set", ListFlag::Set), ("any", ListFlag::Any)]).map(|f| p.list_flag = f) },
    Key { name: "reset-victims", values: "gone|ring", about: "victims of functions 2, 4 and 8 never turn up, or with TASK ABORTED",
        set: |p, v| named(v, &[("gone", false), ("ring", true)]).map(|r| p.victims_ring = r) },
    Key { name: "stall", values: "yes|no", about: "nothing completes while the completion ring is full, or entries are lost",
        set: |p, v| yes(v).map(|s| p.stall = s) },
    Key { name: "batch", values: "yes|no", about: "a write of 0x40 submits all new tags, or (to be refused) only one",
        set: |p, v| yes(v).map(|b| p.batch = b) },
    Key { name: "lists", values: "1..=4096", about: "tags below this may have lists",
        set: |p, v| up_to(v, 4096).filter(|n| *n > 0).map(|n| p.lists = n) },
    Key { name: "slots", values: "1..=4096", about: "most SCSI slots (register 0xb4)",
        set: |p, v| up_to(v, 4096).filter(|n| *n > 0).map(|n| p.slots = n) },
    Key { name: "left-running", values: "no|yes", about: "no reset reaches the card, and what it left pending stays so",
        set: |p, v| yes(v).map(|l| p.left_running = l) },
    Key { name: FAULT, values: "NAME[:[N][xMOST][@WHERE]]|chaos|none", about: "what goes wrong; may be repeated (`tools/vm faults` lists the names)",
        set: |p, v| p.faults.add(v).ok() },
    Key { name: "odd", values: "none|NAME (see `tools/vm settings`)", about: "in which way a driver has to refuse the card",
        set: |p, v| odd::parse(v).map(|odd| p.odd = odd) },
];

/// The whole vocabulary, for people: a line for each key, and for each name of an odd card.
pub fn vocabulary() -> String {
    let mut text =
        String::from("Settings of the card; of several words the first is the default:\n");
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
    /// Most entries of a ring: one more than there are slots, so that it cannot overflow.
    pub fn entries(&self) -> u32 {
        self.slots + 1
    }

    /// The LUN of the first volume.
    pub fn first_volume(&self) -> u16 {
        self.lun0_card.into()
    }

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
