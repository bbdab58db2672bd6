// SPDX-License-Identifier: GPL-2.0

//! How the slots of this card name logical units: the one thing that may have to be found out
//! later. When there was no unit but LUN 0 to be seen, the card is tried again once there is.
//!
//! ```text
//!   unknown --want--> wanted --tried--> an encoding, or unknown, or (the third time) given up
//! ```

use crate::model::{
    CardModel,
    LunEncoding, //
};
use kernel::sync::atomic::{
    ordering::Relaxed,
    Atomic, //
};

/// There was nothing to find it out by, in so many trials (in the lowest byte).
const UNKNOWN: u32 = 0x100;

/// A command was for a unit that cannot be named, after so many trials.
const WANTED: u32 = 0x200;

/// It could not be found out.
const GIVEN_UP: u32 = 0x300;

/// The kind of a state.
const KIND: u32 = 0xf00;

/// Trials after the one at load: each is a restart of the card.
const TRIALS: u32 = 3;

/// How slots name logical units, if that is known: then it is the number of the [`LunEncoding`].
pub(crate) struct Naming(Atomic<u32>);

impl Naming {
    /// As the checks have found it, or that it is not known: `settled` is whether it will not be.
    pub(crate) fn new(model: &CardModel, settled: bool) -> Self {
        Self(Atomic::new(if model.lun_encoding.is_seen() {
            // CAST: The encoding is its number.
            model.lun_encoding.value as u32
        } else if settled {
            GIVEN_UP
        } else {
            UNKNOWN
        }))
    }

    fn encoding(&self) -> Option<LunEncoding> {
        LunEncoding::from_number(self.0.load(Relaxed))
    }

    fn kind(&self) -> u32 {
        self.0.load(Relaxed) & KIND
    }

    /// Bytes 4..8 of a slot. LUN 0 is the same in all encodings.
    pub(crate) fn name(&self, lun: u64) -> Option<[u8; 4]> {
        if lun == 0 {
            return Some([0; 4]);
        }
        let encoding = self.encoding().filter(|_| lun < crate::MAX_LUN)?;
        Some(encoding.encode(lun))
    }

    /// Somebody wants to name a unit and cannot. Returns whether it is worth a try.
    pub(crate) fn want(&self) -> bool {
        let now = self.0.load(Relaxed);
        if now & KIND == UNKNOWN {
            // Whoever was faster wants the same.
            let _ = self.0.cmpxchg(now, now - UNKNOWN + WANTED, Relaxed);
        }
        self.is_wanted()
    }

    /// Whether the card should be tried again.
    pub(crate) fn is_wanted(&self) -> bool {
        self.kind() == WANTED
    }

    /// Whether there is nothing left to be found out.
    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self.kind(), UNKNOWN | WANTED)
    }

    /// The card was tried again: it is this, or there was no unit to find it out by, or it could
    /// not be found out.
    pub(crate) fn tried(&self, found: Option<LunEncoding>) {
        let trials = (self.0.load(Relaxed) & !KIND) + 1;
        self.0.store(
            match found {
                // CAST: As above.
                Some(encoding) => encoding as u32,
                None if trials < TRIALS => UNKNOWN + trials,
                None => GIVEN_UP,
            },
            Relaxed,
        );
    }

    /// The model with what was found later.
    pub(crate) fn complete(&self, mut model: CardModel) -> CardModel {
        if let (false, Some(encoding)) = (model.lun_encoding.is_seen(), self.encoding()) {
            model.lun_encoding.see(encoding);
        }
        model
    }
}
