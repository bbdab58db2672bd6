// SPDX-License-Identifier: GPL-2.0

//! How the slots of this card name logical units: the one thing that may have to be found out
//! later. When there was no unit but LUN 0 to be seen, the card is tried again once there is.
//!
//! ```text
//!   Unknown --want--> Wanted --found--> an encoding, or given up
//! ```

use crate::model::{
    CardModel,
    LunEncoding, //
};
use kernel::sync::atomic::{
    ordering::Relaxed,
    Atomic, //
};

/// There was nothing to find it out by.
const UNKNOWN: u32 = 0x100;

/// A command was for a unit that cannot be named.
const WANTED: u32 = 0x101;

/// There was something, and it could not be found out.
const GIVEN_UP: u32 = 0x102;

/// How slots name logical units, if that is known: then it is the number of the [`LunEncoding`].
pub(crate) struct Naming(Atomic<u32>);

impl Naming {
    /// As the checks have found it.
    pub(crate) fn new(model: &CardModel) -> Self {
        Self(Atomic::new(if model.lun_encoding.is_seen() {
            // CAST: The encoding is its number.
            model.lun_encoding.value as u32
        } else {
            UNKNOWN
        }))
    }

    fn encoding(&self) -> Option<LunEncoding> {
        LunEncoding::from_number(self.0.load(Relaxed))
    }

    /// Bytes 4..8 of a slot. LUN 0 is the same in all encodings.
    pub(crate) fn name(&self, lun: u64) -> Option<[u8; 4]> {
        if lun == 0 {
            return Some([0; 4]);
        }
        self.encoding().map(|encoding| encoding.encode(lun))
    }

    /// Somebody wants to name a unit and cannot. Returns whether it is worth a try.
    pub(crate) fn want(&self) -> bool {
        self.is_wanted() || self.0.cmpxchg(UNKNOWN, WANTED, Relaxed).is_ok()
    }

    /// Whether the card should be tried again.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.load(Relaxed) == WANTED
    }

    /// Whether there is nothing left to be found out.
    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self.0.load(Relaxed), UNKNOWN | WANTED)
    }

    /// The card was tried again: it is this, or it remains unknown.
    pub(crate) fn found(&self, encoding: Option<LunEncoding>) {
        // CAST: As above.
        let number = encoding.map_or(GIVEN_UP, |encoding| encoding as u32);
        self.0.store(number, Relaxed);
    }

    /// The model with what was found later.
    pub(crate) fn complete(&self, mut model: CardModel) -> CardModel {
        if let (false, Some(encoding)) = (model.lun_encoding.is_seen(), self.encoding()) {
            model.lun_encoding.see(encoding);
        }
        model
    }
}
